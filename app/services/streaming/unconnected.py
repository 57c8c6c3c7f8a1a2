"""Sessions that nobody ever connected to: QUEUED → FAILED after some minutes."""

from datetime import timedelta

from sqlalchemy import and_, func, select

from app.domain.errors import NeverConnected
from app.domain.job import Mode
from app.domain.states import JobState, transition
from app.models import Job
from app.services.database import Database, Work
from app.services.delivery.outbox import owe
from app.services.jobs.narrator import Narrator
from app.services.streaming.admission import PARKED

BATCH = 100


def give_up_unconnected(database: Database, narrator: Narrator, after_s: float) -> int:
    """End the sessions that have waited so long for a first connection; returns how many.

    Raises:
        Unavailable: PostgreSQL cannot be reached.
    """
    error = NeverConnected(limit_s=round(after_s))
    too_old = Job.created_at < func.now() - timedelta(seconds=after_s)
    waiting = select(Job).where(and_(Job.mode == Mode.STREAMING.value, PARKED, too_old))
    with database.work() as work:
        now = work.session.scalars(select(func.now())).one()
        jobs = work.session.scalars(waiting.limit(BATCH).with_for_update(skip_locked=True)).all()
        for job in jobs:
            job.state = transition(JobState.QUEUED, JobState.FAILED)
            job.finished_at = job.run_at = now
            job.error_code, job.error_message, job.error_params = error.code, error.message, error.params
            job.error_retryable = error.retryable
            owe(work, job)
        for job_id in [str(job.id) for job in jobs]:
            _tell_after(work, narrator, job_id, error.code)
    return len(jobs)


def _tell_after(work: Work, narrator: Narrator, job_id: str, code: str) -> None:
    work.after_commit(lambda: narrator.state(job_id, JobState.FAILED, 0, error_code=code))
