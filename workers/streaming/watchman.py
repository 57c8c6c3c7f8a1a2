"""Looks after the clients: whose connection is gone for long has its session ended; who waits is told how far it is."""

import time
from dataclasses import dataclass

import structlog

from app.audio.sound import RATE_HZ
from app.domain.errors import Unavailable
from app.queues.live_input import Held, LiveInput
from workers.streaming.board import Board, Leaving, LiveRun
from workers.streaming.teller import Teller
from workers.tools import Stop

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 1.0
END_AGAIN_S = 3.0
"""What ends a session may be lost before it is read, as all that Redis holds."""


@dataclass(frozen=True, slots=True)
class WatchLimits:
    """In seconds: `abandoned_s` without a connection, or `max_s` of sound, end a session; `homeless_s` without a child
    to listen to it give it back, so that another worker may.
    """

    abandoned_s: float
    max_s: float
    homeless_s: float


class Watchman:
    """The loop."""

    def __init__(self, board: Board, live: LiveInput, teller: Teller, limits: WatchLimits) -> None:
        self._board = board
        self._live = live
        self._teller = teller
        self._limits = limits
        self.lag_s = 0.0
        """The longest that sound which has come waits to be heard."""

    def run(self, stop: Stop) -> None:
        """Look until asked to stop."""
        while not stop.wait(LOOK_EVERY_S):
            try:
                self._look()
            except Unavailable:
                # Whoever cannot see may not accuse: all begin anew.
                for run in self._board:
                    run.absent_since = None

    def _look(self) -> None:
        runs = [run for run in self._board if not run.leaving]
        held = self._live.look([run.job.id for run in runs]) if runs else {}
        for run in runs:
            self._see(run, held[run.job.id])
        with self._board.lock:
            told = [run.progress() for run in runs if self._is_silent(run)]
        self._teller.say(told)
        self.lag_s = max((_lag_s(run) for run in runs), default=0.0)

    def _see(self, run: LiveRun, held: Held) -> None:
        run.received = held.received or run.received
        if held.has_owner:
            run.absent_since = None
        elif run.absent_since is None:
            run.absent_since = time.monotonic()
        self._see_home(run)
        too_long = run.n_samples > self._limits.max_s * RATE_HZ
        if (too_long or self._is_abandoned(run)) and self._may_end(run):
            log.info("session_ended_for_its_client", job_id=run.job.id, is_too_long=too_long)
            self._live.end(run.job.id, run.read[0])
            run.ended_for_s = time.monotonic()

    @staticmethod
    def _may_end(run: LiveRun) -> bool:
        """Whether its end was not read yet, nor written just now."""
        return not run.has_read_end and time.monotonic() > (run.ended_for_s or -END_AGAIN_S) + END_AGAIN_S

    def _is_silent(self, run: LiveRun) -> bool:
        """Whether it has got on, and nobody has said so since the last look."""
        seen, run.seen = run.seen, run.told
        return seen == run.told != (run.done_byte, run.committed.byte)

    def _see_home(self, run: LiveRun) -> None:
        now = time.monotonic()
        run.homeless_since = None if run.home else run.homeless_since or now
        if run.homeless_since is not None and now - run.homeless_since > self._limits.homeless_s and not run.leaving:
            run.leaving = Leaving("release")

    def _is_abandoned(self, run: LiveRun) -> bool:
        return run.absent_since is not None and time.monotonic() - run.absent_since >= self._limits.abandoned_s


def _lag_s(run: LiveRun) -> float:
    return max(0, run.received - run.done_byte) / run.spec.bytes_per_s
