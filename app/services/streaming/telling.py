"""What a client of a live session is told, in order: stored finals and live words, no gap, nothing twice."""

import time
from collections.abc import Iterable, Iterator

from app.domain.errors import IdleTimeout, NotFound, StreamLost, TakenOver, Unavailable
from app.domain.job import JobFailure
from app.domain.live import LiveSession
from app.queues.live_output import LiveMessage
from app.services.streaming.flow import Flow
from app.services.streaming.mailbox import Letter, Mailbox
from app.services.streaming.record import Record
from app.services.streaming.told import Ack, FlowAsked, Heard, Partial, SaidFinal, Tick, Told, Trouble
from app.services.streaming.upstream import Upstream

TICK_S = 1.0
LOOK_S = 5.0
"""Silence from the worker after which PostgreSQL is asked how the session stands."""


class Telling:
    """Redis makes it quick; PostgreSQL, looked at after gaps and silences, makes it certain."""

    def __init__(
        self, session: LiveSession, upstream: Upstream, mailbox: Mailbox, record: Record, idle_s: float
    ) -> None:
        self._session, self._upstream, self._mailbox, self._record = session, upstream, mailbox, record
        self._idle_s = idle_s
        self._flow = Flow(session.spec, upstream.received)
        self._committed_byte = session.committed_byte
        self._acked = Ack(session.spec.units(upstream.received), session.committed)
        self._tick_s = self._told_s = time.monotonic()
        self._is_over = False
        # Of a session that has just begun nothing was said that would have to be looked up.
        self._is_behind = session.resume_token is None

    def end(self) -> None:
        """There is nobody to be told anything any more."""
        self._is_over = True
        self._mailbox.wake()

    def told(self) -> Iterator[Told]:
        """Everything, until the session or the connection ends; what ends it comes last."""
        while not self._is_over:
            try:
                yield from self._round()
            except Unavailable:
                self._is_behind = True  # PostgreSQL is asked again at the next round
            except NotFound as error:
                yield from self._end([Trouble(error)])

    def _round(self) -> Iterator[Told]:
        if self._is_behind:
            self._is_behind = False
            yield from self._record.new_finals()
        for letter in self._mailbox.take(max(0.0, self._tick_s + TICK_S - time.monotonic())):
            self._told_s = time.monotonic()
            yield from self._translated(letter)
            if self._is_over:
                return
        yield from self._flow_asked()
        if time.monotonic() >= self._tick_s + TICK_S:
            self._tick_s = time.monotonic()
            yield from self._tick()

    def _tick(self) -> Iterator[Told]:
        yield Tick()
        ack = Ack(self._session.spec.units(self._upstream.received), self._session.spec.units(self._committed_byte))
        if ack != self._acked:
            self._acked = ack
            yield ack
        if self._upstream.is_idle(self._idle_s):
            yield from self._end([Trouble(IdleTimeout(idle_s=round(self._idle_s)))])
        elif time.monotonic() > self._told_s + LOOK_S:
            self._told_s = time.monotonic()
            yield from self._ended()

    def _flow_asked(self) -> Iterator[Told]:
        if self._flow.look(self._upstream.received):
            self._upstream.pause(is_paused=self._flow.is_paused)
            yield FlowAsked(self._flow.is_paused)

    def _translated(self, letter: Letter) -> Iterator[Told]:
        if isinstance(letter, Trouble):
            return self._troubled(letter)
        tell = getattr(self, f"_on_{letter.type}", self._on_gap)
        told: Iterator[Told] = tell(letter)
        return told

    def _on_gap(self, _: LiveMessage) -> Iterator[Told]:
        return self._record.new_finals()

    def _on_partial(self, message: LiveMessage) -> Iterator[Told]:
        said = message.fields
        if said["seq"] > self._record.last and self._session.spec.interim_results:
            yield Partial(said["seq"], said["start"], said["end"], said["text"])

    def _on_final(self, message: LiveMessage) -> Iterator[Told]:
        said = message.fields
        self._committed_byte = max(self._committed_byte, said.get("committed_byte", 0))
        alternatives = tuple((text, sure) for text, sure in said.get("alternatives", ()))
        final = SaidFinal(said["seq"], said["segment"], said["speech_final"], alternatives)
        if self._record.is_next(final):
            yield final
        elif final.seq > self._record.last:
            yield from self._record.new_finals()

    def _on_progress(self, message: LiveMessage) -> Iterator[Told]:
        read, committed = message.fields["read_byte"], message.fields["committed_byte"]
        self._flow.read(read)
        self._committed_byte = max(self._committed_byte, committed)
        yield Heard(read, committed)

    def _on_completed(self, _: LiveMessage) -> Iterator[Told]:
        return self._ended()

    def _on_ended(self, _: LiveMessage) -> Iterator[Told]:
        return self._ended()

    def _on_error(self, message: LiveMessage) -> Iterator[Told]:
        said = message.fields
        if said.get("fatal", True):
            return self._ended()
        failure = JobFailure(said["code"], "", retryable=False, attempts=0, params=said.get("params", {}))
        return iter([Trouble(failure, is_fatal=False)])

    def _on_taken_over(self, message: LiveMessage) -> Iterator[Told]:
        if message.fields["owner"] == self._upstream.owner:
            yield from self._end([Trouble(TakenOver())])

    def _troubled(self, trouble: Trouble) -> Iterator[Told]:
        """Input is refused also when the session has ended: then that is what there is to be told."""
        if isinstance(trouble.error, StreamLost | TakenOver):
            yield from self._ended()
        if not trouble.is_fatal:
            yield trouble
        elif not self._is_over:
            yield from self._end([trouble])

    def _ended(self) -> Iterator[Told]:
        standing, finals = self._record.standing()
        yield from finals
        if standing.state.is_final:
            yield from self._end(self._record.ending(standing))

    def _end(self, last: Iterable[Told]) -> Iterator[Told]:
        yield from last
        self._is_over = True
