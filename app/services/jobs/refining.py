"""Live sessions and the jobs that work on their sound again."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import select

from app.domain.job import Mode
from app.models import Job
from app.services.database import Work


def refined_by(work: Work, jobs: Sequence[Job]) -> Mapping[UUID, tuple[str, ...]]:
    """The jobs that do each of these anew, oldest first, by one statement for them all; empty where there are none."""
    found: dict[UUID, tuple[str, ...]] = {job.id: () for job in jobs}
    sessions = [job.id for job in jobs if job.mode == Mode.STREAMING]
    if not sessions:
        return found
    refining = select(Job.source_id, Job.id).where(Job.source_id.in_(sessions)).order_by(Job.created_at, Job.id)
    for session_id, job_id in work.session.execute(refining):
        assert session_id is not None, "it was found by it"
        found[session_id] = (*found[session_id], str(job_id))
    return found
