"""Writing how runs ended: at once, or, when they end within moments of each other, several in one commit."""

import time
from collections.abc import Callable, Sequence

import structlog

from app.domain.errors import EngineError, Unavailable
from app.helpers.backoff import backoff_s
from app.helpers.pace import MOST_AHEAD
from app.services.jobs.claimed import ClaimedJob
from app.services.jobs.completing import Result
from workers.tools import Stop, Tally, Tools

log = structlog.get_logger(__name__)

UNSTORABLE = EngineError(reason="its result cannot be stored")
HOLD_S = 0.05
"""How long a result may wait for others to be written with it."""


class Writer:
    """Writes the endings of one slot's runs."""

    def __init__(self, tools: Tools, stop: Stop, tally: Tally) -> None:
        self._tools = tools
        self._stop = stop
        self._tally = tally
        self._held: list[Result] = []
        self._held_since = 0.0

    @property
    def holds_results(self) -> bool:
        """Whether some are not written yet."""
        return bool(self._held)

    def hold(self, result: Result) -> None:
        """Take a result, to be written soon."""
        if not self._held:
            self._held_since = time.monotonic()
        self._held.append(result)

    def write_what_is_due(self) -> None:
        """Write what was held long enough, or is enough; without PostgreSQL it is held on."""
        if not self._held or (len(self._held) < MOST_AHEAD // 2 and time.monotonic() - self._held_since < HOLD_S):
            return
        try:
            self._write_held()
        except Unavailable:
            log.warning("ending_waits_for_database", n=len(self._held))
            self._held_since = time.monotonic()

    def write_all(self) -> None:
        """Write all that is held, waiting for PostgreSQL if need be."""
        if self._held:
            self._insist(self._write_held)

    def write(self, job: ClaimedJob, ending: Callable[[], bool]) -> None:
        """Write how a run ended; an ending that the table refuses fails its job, not the slot."""
        try:
            self._insist(lambda: self._count_fenced(0 if ending() else 1))
        except Exception:
            log.exception("ending_refused", job_id=job.id)
            self._insist(lambda: self._count_fenced(0 if self._tools.endings.fail(job, UNSTORABLE) else 1))

    def release(self, jobs: Sequence[ClaimedJob]) -> None:
        """Give back jobs that have not begun."""
        if jobs:
            self._insist(lambda: self._count_fenced(self._tools.endings.release_all(jobs)))

    def _write_held(self) -> None:
        self._count_fenced(len(self._completed(self._held)))
        self._held = []

    def _completed(self, results: list[Result]) -> list[Result]:
        """Write these; those whose job was no longer ours. If the table refuses one of them, it fails alone."""
        try:
            return self._tools.endings.complete_all(results)
        except Unavailable:
            raise
        except Exception:
            log.exception("results_refused", n=len(results))
        if len(results) == 1:
            return [] if self._tools.endings.fail(results[0].job, UNSTORABLE) else results
        half = len(results) // 2
        return [*self._completed(results[:half]), *self._completed(results[half:])]

    def _count_fenced(self, n: int) -> None:
        if n:
            self._tally.fenced += n
            log.warning("ending_fenced", n=n)

    def _insist(self, write: Callable[[], None]) -> None:
        """Write, waiting for PostgreSQL if need be; a result in hand is not thrown away."""
        n = 0
        while True:
            try:
                return write()
            except Unavailable:
                n += 1
                log.warning("ending_waits_for_database", n=n)
                if self._stop.wait(backoff_s(n, base_s=0.2, cap_s=5.0)) and self._past_deadline():
                    return None

    def _past_deadline(self) -> bool:
        deadline = self._stop.deadline()
        return deadline is not None and time.monotonic() > deadline
