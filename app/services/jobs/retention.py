"""Forgetting what has been kept long enough: ended jobs whole, or their recordings only.

Any number of processes may do it at once: each takes rows that no other holds, a few at a time. What is kept for how
long is said by the project, or else by the settings. A job whose end has still to be told to a receiver is kept until
it is, or until that is given up.
"""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, Float, and_, delete, exists, func, literal, select, update
from sqlalchemy.orm import InstrumentedAttribute

from app.domain.delivery import DeliveryState
from app.models import Delivery, Job, Project
from app.services.database import Database, Work
from app.services.jobs.removal import Removal

log = structlog.get_logger(__name__)

BATCH = 100


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long jobs are kept after their end, and their recordings, in seconds; None: for ever."""

    retention_s: float | None = None
    audio_retention_s: float | None = None


class Retention:
    """Removes what is past its time."""

    def __init__(self, database: Database, removal: Removal, keeping: Keeping, *, batch: int = BATCH) -> None:
        self._database = database
        self._removal = removal
        self._batch = batch
        self._is_job_over = _is_over(Project.retention_s, keeping.retention_s)
        self._is_audio_over = _is_over(Project.audio_retention_s, keeping.audio_retention_s)

    def sweep(self) -> int:
        """Remove all that is past its time now; returns how many jobs and recordings.

        Raises:
            Unavailable: PostgreSQL cannot be reached.
        """
        n_jobs = self._repeat(self._remove_jobs)
        n_recordings = self._repeat(self._remove_recordings)
        if n_jobs or n_recordings:
            log.info("retention_swept", n_jobs=n_jobs, n_recordings=n_recordings)
        return n_jobs + n_recordings

    def _repeat(self, remove: Callable[[Work], int]) -> int:
        total = 0
        while True:
            with self._database.work() as work:
                n = remove(work)
            total += n
            if n < self._batch:
                return total

    def _remove_jobs(self, work: Work) -> int:
        rows = self._locked(work, and_(self._is_job_over, Job.parent_id.is_(None), ~_owes_a_delivery()))
        work.session.execute(delete(Job).where(Job.id.in_(rows)))
        for job_id, audio_key in rows.items():
            self._removal.follows(work, job_id, audio_key)
        return len(rows)

    def _remove_recordings(self, work: Work) -> int:
        rows = self._locked(work, and_(self._is_audio_over, Job.audio_key.is_not(None)))
        work.session.execute(update(Job).where(Job.id.in_(rows)).values(audio_key=None))
        for audio_key in rows.values():
            self._removal.audio_follows(work, audio_key)
        return len(rows)

    def _locked(self, work: Work, which: ColumnElement[bool]) -> dict[UUID, str | None]:
        """Some ended jobs, by id, with their recordings; no other process has them, and no one can retry them now."""
        query = (
            select(Job.id, Job.audio_key)
            .join(Project, Project.id == Job.project_id)
            .where(Job.finished_at.is_not(None), which)
            .order_by(Job.finished_at, Job.id)
            .limit(self._batch)
            .with_for_update(of=Job, skip_locked=True)
        )
        return {row.id: row.audio_key for row in work.session.execute(query)}


def _is_over(own: InstrumentedAttribute[float | None], default_s: float | None) -> ColumnElement[bool]:
    """Whether a job ended longer ago than its project, or else the settings, have it kept; unknown: it is not."""
    age_s = func.extract("epoch", func.now() - Job.finished_at)
    return age_s > func.coalesce(own, literal(default_s, Float))


def _owes_a_delivery() -> ColumnElement[bool]:
    return exists().where(Delivery.job_id == Job.id, Delivery.state == DeliveryState.PENDING)
