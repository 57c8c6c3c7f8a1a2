"""The child process of a streaming worker: holds the models, listens to many sessions, knows no database.

Runs as `python -m workers.streaming.child MODE FD PARENT_PID WORKING_FD`; speaks `workers.streaming.messages` over the
inherited pipe FD. One thread does everything: a session gets its turn for a bit of sound, then the next one does. It
waits for nobody: a session whose sound is being decoded elsewhere has its turn again when that is there.
"""

import gc
import select
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import accumulate
from multiprocessing.connection import Connection
from typing import TypeVar

import structlog

from app.audio.confinement import end_with_parent
from app.audio.live.base import OPUS, Decoding, RestartPoint
from app.audio.live.confined import Nursery
from app.audio.live.decoder import make_live_decoder
from app.audio.live.here import DecodingHere
from app.domain.errors import EngineError, OutOfMemory, ParloirError
from app.domain.live import StreamSpec
from app.engines.streaming import StreamOptions
from app.observability.logging import configure_logging
from app.queues.live_input import END, FINALIZE, SOUND
from config.worker import WorkerConfig
from workers.streaming.capacity import measured_slots
from workers.streaming.elsewhere import LOOK_EVERY_MS, Elsewhere
from workers.streaming.hearing import Hearing
from workers.streaming.messages import Broke, Close, Feed, Open, Said, Slots, ToStreams
from workers.streaming.models import LiveModels, build_models
from workers.streaming.report import Report
from workers.streaming.working import Working

log = structlog.get_logger(__name__)

T = TypeVar("T")
TURN_S = 0.2
"""Sound that a session may have heard before it is another one's turn."""

BEHIND_S = 0.25
"""With more than this of its sound still unheard a session has no hypotheses, but for clients that wait for each: what
they take is better given to its words."""

ROUND_S = 0.01
"""Longest time that words which are there wait for those of other sessions, to go out with them."""

IDLE_MS = 250
"""With no sound for so long, it is told how far those are of whom nothing was said."""


@dataclass(slots=True)
class Seat:
    """A session, and what of its input has not been heard yet; `asked` is what is being decoded."""

    opening: Open
    hearing: Hearing
    decoding: Decoding
    turn_bytes: int
    waiting: deque[Feed] = field(default_factory=deque)
    asked: Feed | None = None

    def close(self) -> None:
        """Give back what it holds."""
        self.decoding.close()
        self.hearing.close()

    def next(self) -> Feed:
        """The next piece of its input, for one turn: what waits of its sound is heard together, which costs less."""
        feed = self.waiting.popleft()
        data = feed.data
        while feed.kind == SOUND and len(data) < self.turn_bytes and self._is_sound_next():
            feed = self.waiting.popleft()
            data += feed.data
        if len(data) > self.turn_bytes:
            self.waiting.appendleft(Feed(feed.sid, feed.kind, feed.end_byte, data[self.turn_bytes :]))
        return Feed(feed.sid, feed.kind, feed.end_byte, data[: self.turn_bytes])

    @property
    def is_behind(self) -> bool:
        """Whether much more of its sound waits."""
        spec = self.opening.spec
        most_bytes = BEHIND_S * spec.bytes_per_s
        return not spec.lockstep and any(n > most_bytes for n in accumulate(len(feed.data) for feed in self.waiting))

    def _is_sound_next(self) -> bool:
        return bool(self.waiting) and self.waiting[0].kind == SOUND


class StreamChild:
    """Reads what the supervisor sends, lets the sessions have their turns, tells what came of it."""

    def __init__(self, pipe: Connection, models: LiveModels, working: Working) -> None:
        self._pipe = pipe
        self._heard = select.poll()  # kept: the pipe's own way to look makes one each time
        self._heard.register(pipe.fileno(), select.POLLIN)
        self._pipe_fd = pipe.fileno()
        self._elsewhere = Elsewhere(self._heard)
        self._models = models
        self._working = working
        self._seats: dict[int, Seat] = {}
        self._turns: deque[int] = deque()
        self._report = Report(pipe)
        self._nursery = Nursery()

    def serve(self, n_slots: int) -> None:
        """Listen until the supervisor closes the pipe."""
        self._pipe.send(Slots(n_slots))
        try:
            while True:
                self._take_in()
                self._round()
                self._report.send()
        except (EOFError, OSError):
            return

    def _take_in(self) -> None:
        while found := self._heard.poll(self._patience_ms()):
            for fd, _ in found:
                if fd == self._pipe_fd:
                    self._read()
                else:
                    self._turns.extend(self._elsewhere.answered(fd))
        self._turns.extend(self._elsewhere.overdue())
        if not self._turns:
            self._report.catch_up()

    def _patience_ms(self) -> int | None:
        """How long to wait for more; None: there is nothing else to do."""
        if self._turns or self._report:
            return 0
        if self._elsewhere:
            return LOOK_EVERY_MS
        return IDLE_MS if self._report.put_off else None

    def _read(self) -> None:
        messages: ToStreams = self._pipe.recv()
        self._working.on(0)  # a sign of life
        for message in messages:
            self._take(message)

    def _take(self, message: Open | Feed | Close) -> None:
        match message:
            case Open():
                self._open(message)
            case Close(sid):
                self._close(sid)
            case Feed(sid):
                seat = self._seats.get(sid)
                if seat is None:
                    return
                if not seat.waiting and seat.asked is None:
                    self._turns.append(sid)
                seat.waiting.append(message)

    def _round(self) -> None:
        until = time.perf_counter() + ROUND_S
        while self._turns and time.perf_counter() < until:
            sid = self._turns.popleft()
            seat = self._seats.get(sid)
            if seat is not None and (seat.waiting or seat.asked):
                self._turn(seat)

    def _turn(self, seat: Seat) -> None:
        sid = seat.opening.sid
        self._working.on(sid)
        said = self._guarded(sid, lambda: self._hear(seat))
        self._working.on(0)
        if said is None:
            if sid in self._seats:  # else it just broke
                self._elsewhere.await_(sid, seat.decoding)
            return
        self._report.heard(said, seat.opening.spec)
        if said.steps:
            # Not kept until the round is over: the next turn could be the last thing that this process does.
            self._report.send()
        if said.has_ended:
            self._close(sid)
        elif seat.waiting:
            self._turns.append(sid)

    def _hear(self, seat: Seat) -> Said | None:
        """Do the next piece of its input; None while that is being decoded."""
        if seat.asked is None:
            feed = seat.next()
            if feed.kind == FINALIZE:
                return seat.hearing.finalize()
            seat.decoding.flush() if feed.kind == END else seat.decoding.feed(feed.data)
            seat.asked = feed
        pcm = seat.decoding.answer()
        if pcm is None:
            return None
        feed, seat.asked = seat.asked, None
        if feed.kind == END:
            return seat.hearing.end(pcm)
        return seat.hearing.hear(pcm, len(feed.data), is_behind=seat.is_behind)

    def _open(self, opening: Open) -> None:
        self._working.on(opening.sid, loading=True)
        seat = self._guarded(opening.sid, lambda: self._seat(opening))
        self._working.on(0)
        if seat is not None:
            self._seats[opening.sid] = seat

    def _seat(self, opening: Open) -> Seat:
        spec, mark = opening.spec, opening.mark
        options = StreamOptions(
            language=opening.options.language,
            hotwords=opening.options.hotwords,
            endpoint_ms=spec.endpoint_ms,
            interim_results=spec.interim_results,
            max_alternatives=spec.max_alternatives,
            phrases=spec.phrases,
        )
        recognizer = self._models.get(opening.options).open(options)
        decoding = self._decoding(spec, RestartPoint(mark.byte, mark.sample, mark.header))
        turn_bytes = max(1, int(spec.bytes_per_s * TURN_S))
        return Seat(opening, Hearing(opening, decoding, recognizer), decoding, turn_bytes)

    def _decoding(self, spec: StreamSpec, start: RestartPoint) -> Decoding:
        if spec.encoding == OPUS:
            return self._nursery.decoder(start)
        return DecodingHere(make_live_decoder(spec.encoding, spec.rate_hz, start))

    def _close(self, sid: int) -> None:
        self._elsewhere.forget(sid)
        seat = self._seats.pop(sid, None)
        self._report.forget(sid)
        if seat is not None:
            self._guarded(sid, seat.close)

    def _guarded(self, sid: int, action: Callable[[], T]) -> T | None:
        """Do something for a session; whatever it throws ends that session, not the child."""
        try:
            return action()
        except ParloirError as error:
            self._break(sid, error)
        except MemoryError:
            self._break(sid, OutOfMemory())
        except Exception as error:  # noqa: BLE001 - whatever an engine throws must become an answer
            self._break(sid, EngineError(reason=type(error).__name__))
        return None

    def _break(self, sid: int, error: ParloirError) -> None:
        self._report.broke(Broke(sid, error, traceback.format_exc()))
        self._elsewhere.forget(sid)
        seat = self._seats.pop(sid, None)
        if seat is not None:
            with suppress(Exception):  # one error is enough
                seat.close()


def main(fd: int, parent_pid: int, working_fd: int) -> None:
    """Run as a child."""
    end_with_parent(parent_pid)
    config = WorkerConfig.from_env()
    configure_logging(config.log_format, config.log_level)
    models = build_models(config)
    n_slots = config.stream_slots or measured_slots(models, config)
    gc.freeze()  # as the supervisor does
    StreamChild(Connection(fd), models, Working(working_fd)).serve(n_slots)


if __name__ == "__main__":
    main(int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
