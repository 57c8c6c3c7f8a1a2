"""Reads a recording ahead of the engine: while one part is transcribed, the next is decoded and searched for speech."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from queue import Empty, Queue
from types import TracebackType
from typing import Self

import structlog

from app.audio.decode import DecodeLimits, Decoding, decode
from app.audio.parts import Part
from app.audio.peaks import PeakMeter
from app.audio.sound import Pcm
from app.domain.errors import Cancelled
from app.domain.peaks import Peaks

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 0.25
END_S = 5.0


class ReadAhead:
    """The parts of a recording, read in a thread of its own, at most one ahead of who takes them.

    `declared_s`, what the header says, is known when the first part is there; `n_samples`, `warnings` and `peaks`, of
    the whole recording, when the last was taken. What goes wrong in the thread is raised where the parts are taken.
    """

    def __init__(
        self,
        audio: Path,
        start_sample: int,
        limits: DecodeLimits,
        cut: Callable[[Iterator[Pcm]], Iterator[Part]],
        channel: int | None = None,
    ) -> None:
        """`cut` makes parts of the sound from `start_sample` on; it is called, and runs, in the thread.

        `channel` is the one of a stereo recording that is heard alone.
        """
        self.declared_s: float | None = None
        self.n_samples = start_sample
        self.warnings: tuple[str, ...] = ()
        self.peaks: Peaks | None = None
        self._audio = audio
        self._limits = limits
        self._cut = cut
        self._channel = channel
        self._meter = PeakMeter()
        self._made: Queue[Part | BaseException | None] = Queue()
        self._wanted = threading.Semaphore(1)
        self._is_closed = threading.Event()
        self._thread = threading.Thread(target=self._read, args=(start_sample,), name="read-ahead", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_closed.set()
        self._wanted.release()
        self._thread.join(END_S)
        if self._thread.is_alive():
            log.warning("read_ahead_lingers")  # stuck in the recording; the limits of decoding end it

    def parts(self, is_cancelled: Callable[[], bool]) -> Iterator[Part]:
        """The parts in order; the next one is made while the caller works on this.

        Raises:
            Cancelled: it was asked for while waiting for a part.
            NotAudio, MediaError, ChildDied: see `app.audio.decode`.
        """
        while (part := self._next(is_cancelled)) is not None:
            self._wanted.release()
            yield part

    def _next(self, is_cancelled: Callable[[], bool]) -> Part | None:
        while not is_cancelled():
            try:
                made = self._made.get(timeout=LOOK_EVERY_S)
            except Empty:
                continue
            if isinstance(made, BaseException):
                raise made
            return made
        raise Cancelled

    def _read(self, start_sample: int) -> None:
        try:
            with self._decode(start_sample) as decoding:
                self.declared_s = decoding.info.declared_s
                self._make_parts(decoding)
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that takes the parts
            self._made.put(error)
        else:
            self._made.put(None)

    def _decode(self, start_sample: int) -> AbstractContextManager[Decoding]:
        return decode(
            self._audio,
            limits=self._limits,
            start_sample=start_sample,
            channel=self._channel,
            listener=self._meter.feed,
        )

    def _make_parts(self, decoding: Decoding) -> None:
        parts = self._cut(iter(decoding))
        while self._is_next_wanted():
            part = next(parts, None)
            if part is None:
                self.n_samples, self.warnings = decoding.n_samples, decoding.warnings
                self.peaks = self._meter.peaks()
                return
            self._made.put(part)

    def _is_next_wanted(self) -> bool:
        """Wait until the part before was taken: one is with the engine, one is made or being made, and no more."""
        self._wanted.acquire()
        return not self._is_closed.is_set()
