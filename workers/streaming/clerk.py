"""Stores what was said, and gives the signs of life: one statement each for all sessions, in one thread.

A final is told when, and only when, PostgreSQL has it under this worker's claim. While PostgreSQL is away what was
said waits here, and sound goes on being heard up to a bound (`LiveRun.wants_input`).
"""

import time
from collections.abc import Sequence

import structlog

from app.audio.sound import RATE_HZ
from app.domain.errors import ParloirError, Unavailable
from app.domain.job import SEQ_PER_ATTEMPT
from app.domain.live import Step
from app.exports.wire import segment_to_wire
from app.queues.events import Event
from app.queues.live_output import LiveMessage
from app.services.jobs.narrator import Narrator
from app.services.streaming.ledger import Alive, StreamLedger
from workers.streaming.board import Board, Leaving, LiveRun
from workers.streaming.leaving import Departures
from workers.streaming.minutes import Minutes
from workers.streaming.teller import Teller
from workers.tools import Stop, Tally
from workers.writing import UNSTORABLE

log = structlog.get_logger(__name__)

WITHOUT_DATABASE_S = 0.3
MOST_AT_ONCE = 200

Batch = list[tuple[LiveRun, list[Step]]]


class Clerk:
    """The loop."""

    def __init__(
        self,
        board: Board,
        ledger: StreamLedger,
        minutes: Minutes,
        teller: Teller,
        narrator: Narrator,
        departures: Departures,
        tally: Tally,
        beat_s: float,
    ) -> None:
        self._board = board
        self._ledger = ledger
        self._minutes = minutes
        self._teller = teller
        self._narrator = narrator
        self._departures = departures
        self._tally = tally
        self._beat_s = beat_s
        self._beat_at = time.monotonic()

    def run(self, stop: Stop) -> None:
        """Write until asked to stop."""
        while not stop.requested():
            self._board.changed.wait(max(0.0, self._beat_at + self._beat_s - time.monotonic()))
            self._board.changed.clear()
            try:
                self._write()
            except Unavailable:
                log.warning("finals_wait_for_database", n=sum(len(run.pending) for run in self._board))
                stop.wait(WITHOUT_DATABASE_S)
                self._board.changed.set()

    def drain(self) -> None:
        """Store all that was said.

        Raises:
            Unavailable: PostgreSQL cannot be reached.
        """
        while batch := self._batch(all_=True):
            self._store(batch)

    def _write(self) -> None:
        is_beat = time.monotonic() - self._beat_at >= self._beat_s
        if is_beat:
            self._beat_at = time.monotonic()
            self._beat()
        self._store(self._batch(all_=is_beat))
        self._let_go()

    def _batch(self, *, all_: bool) -> Batch:
        """Sessions with something to store; silences, which nobody waits for, only with the signs of life."""
        with self._board.lock:
            runs = [run for run in self._board if run.pending and (all_ or run.is_urgent or run.leaving)]
            return [(run, list(run.pending)) for run in runs[:MOST_AT_ONCE]]

    def _store(self, batch: Batch) -> None:
        if not batch:
            return
        try:
            held = self._ledger.commit([(run.job, steps) for run, steps in batch])
        except ParloirError:
            raise
        except Exception:  # one session's words that the table refuses must not keep those of others
            log.exception("finals_refused", n=len(batch))
            self._store_apart(batch)
            return
        for run, steps in batch:
            self._stored(run, steps) if run.job.id in held else self._fenced(run)

    def _store_apart(self, batch: Batch) -> None:
        if len(batch) > 1:
            for one in batch:
                self._store([one])
            return
        [(run, _)] = batch
        with self._board.lock:
            run.pending.clear()
            run.leaving = Leaving("fail", UNSTORABLE)

    def _stored(self, run: LiveRun, steps: Sequence[Step]) -> None:
        with self._board.lock:
            del run.pending[: len(steps)]
            run.committed = steps[-1].mark
            run.is_urgent = any(step.final is not None for step in run.pending)
            partial, run.held_back = (None, run.held_back) if run.is_urgent else (run.held_back, None)
            finals = [_final(run, step) for step in steps if step.final is not None]
            told = [*finals, run.progress(), *([partial] if partial else [])]
        self._teller.say(told)
        self._teller.trim(run.job.id, run.committed.byte)
        for final in finals:
            self._narrate(run, final)

    def _narrate(self, run: LiveRun, final: LiveMessage) -> None:
        run.n_events += 1
        seq = run.job.attempt * SEQ_PER_ATTEMPT + run.n_events
        self._narrator.tell(Event(run.job.id, seq, "segment", {"segment": final.fields["segment"]}))

    def _beat(self) -> None:
        runs = list(self._board)
        answers = self._ledger.beat(Alive(run.job, run.n_samples / RATE_HZ, gets_on=run.gets_on()) for run in runs)
        for run in runs:
            answer = answers.get(run.job.id)
            if answer is None:
                self._fenced(run)
            elif answer.cancel_requested and not run.leaving:
                run.leaving = Leaving("cancel")

    def _fenced(self, run: LiveRun) -> None:
        """Somebody else has it: nothing more may be said of it. One that is just leaving has written that itself."""
        if run.is_leaving or not self._board.holds(run):
            return
        self._tally.fenced += 1
        log.warning("session_fenced", job_id=run.job.id, attempt=run.job.attempt)
        self._minutes.close(run)

    def _let_go(self) -> None:
        for run in self._board:
            if run.leaving and not run.pending and not run.is_leaving:
                run.is_leaving = True
                self._departures.begin(run, run.leaving)


def _final(run: LiveRun, step: Step) -> LiveMessage:
    final = step.final
    assert final is not None
    return run.message(
        "final",
        seq=final.seq,
        segment=segment_to_wire(final.segment),
        speech_final=final.speech_final,
        alternatives=[list(one) for one in final.alternatives],
        committed_byte=step.mark.byte,
    )
