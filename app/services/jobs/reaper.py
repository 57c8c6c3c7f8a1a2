"""Finding runs whose worker is gone: PROCESSING → QUEUED, or → FAILED as poison.

No clock of any machine is compared with another's: each observer looks at the count of beats and waits, on its own
monotonic clock, for it to change. An observer that could not look for a while forgets what it saw, because the runs
may have beaten while it was blind.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import structlog
from sqlalchemy import select

from app.domain.errors import ChildDied
from app.domain.job import Mode
from app.domain.states import JobState
from app.models import Job
from app.services.database import Database
from app.services.jobs.claimed import ClaimedJob, claimed
from app.services.jobs.endings import Endings

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Sign:
    """The last sign of life seen of a run, and when this observer saw it first."""

    token: UUID
    beat: int
    seen_at: float


class Reaper:
    """One observer of the running jobs of a mode."""

    def __init__(
        self,
        database: Database,
        endings: Endings,
        mode: Mode,
        *,
        lease_s: float,
        tick_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._endings = endings
        self._mode = mode
        self._lease_s = lease_s
        self._blind_after_s = 2 * tick_s + 1
        self._clock = clock
        self._signs: dict[UUID, Sign] = {}
        self._looked_at: float | None = None

    def look(self) -> int:
        """Look once; end the runs that gave no sign for the lease. Returns how many.

        Raises:
            Unavailable: PostgreSQL cannot be reached.
        """
        running = self._running()
        now = self._clock()
        if self._looked_at is None or now - self._looked_at > self._blind_after_s:
            self._signs.clear()
        self._looked_at = now
        self._signs = {job.id: self._sign(job, now) for job in running}
        silent = [job for job in running if now - self._signs[job.id].seen_at >= self._lease_s]
        return sum(self._reap(claimed(job, self._signs[job.id].token)) for job in silent)

    def _running(self) -> list[Job]:
        with self._database.work() as work:
            query = select(Job).where(Job.state == JobState.PROCESSING, Job.mode == self._mode.value)
            return list(work.session.scalars(query))

    def _sign(self, job: Job, now: float) -> Sign:
        known = self._signs.get(job.id)
        if known and known.token == job.claim and known.beat == job.beat:
            return known
        assert job.claim is not None, "a running job has a claim: the table's own check"
        return Sign(job.claim, job.beat, now)

    def _reap(self, job: ClaimedJob) -> bool:
        reaped = self._endings.crash(job, ChildDied(reason="its worker gave no sign of life"))
        if reaped:
            log.warning("run_reaped", job_id=job.id, attempt=job.attempt)
        return reaped
