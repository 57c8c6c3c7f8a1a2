"""Jobs that wait for other jobs: the client's for its halves, halves for the recording that it fetches.

The job that the client knows is the parent. Once its turns are known and its words are not, it is *parked*: queued,
but due only at the end of time, so that no worker takes it. Whichever half ends last makes it due again, in the
transaction of its own end. Both sides lock the parent first, so that neither can miss the other: either the parent
sees that its halves have ended, or the half sees that its parent is parked.
"""

from datetime import UTC, datetime
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.orm import aliased

from app.domain.job import Mode
from app.domain.states import FINAL_STATES, JobState
from app.models import Job
from app.services.database import Database, Work
from app.services.jobs.bell import Bell

log = structlog.get_logger(__name__)

NEVER = datetime(9000, 1, 1, tzinfo=UTC)
"""When parked jobs are due. Not PostgreSQL's infinity, from which older ones cannot subtract, and Python not at all."""

PARKED = and_(Job.state == JobState.QUEUED, Job.run_at == NEVER)
ENDED = [state.value for state in FINAL_STATES]


def lock_parent(work: Work, parent_id: UUID) -> None:
    """Before a half is written: from here to the end of the transaction its parent neither parks nor ends."""
    work.session.execute(select(Job.id).where(Job.id == parent_id).with_for_update())


def wake_parent(work: Work, parent_id: UUID) -> list[Job]:
    """A half has ended: its parent is due if it is parked, and no half is still to come. Gives the parent if so."""
    return _woken(work, Job.id == parent_id)


def wake_forgotten(database: Database, bell: Bell) -> int:
    """Make parents due whose halves have all ended and did not wake them, and halves whose recording is there.

    Nothing of ours forgets to, but a worker of a version before knows of no parents. Returns how many there were.

    Raises:
        Unavailable: PostgreSQL cannot be reached.
    """
    with database.work() as work:
        found = [*_woken(work, Job.mode == Mode.DIARIZATION.value), *_with_recording(work)]
        bell.ring(work, found)
    if found:
        log.info("parked_jobs_woken", n=len(found))
    return len(found)


def park(work: Work, job_id: UUID, token: UUID) -> bool:
    """PROCESSING → QUEUED until a half wakes it: its own part is done. False if the job was no longer this run's."""
    parked = (
        update(Job)
        .where(Job.id == job_id, Job.claim == token)
        .values(state=JobState.QUEUED, claim=None, run_at=NEVER, progress=1.0)
        .returning(Job.id)
    )
    return work.session.scalar(parked) is not None


def share_recording(work: Work, parent_id: UUID) -> list[Job]:
    """The parent's recording was fetched: its halves have it too, and are due. Gives those that now are."""
    return _with_recording(work, Job.parent_id == parent_id)


def _woken(work: Work, which: ColumnElement[bool]) -> list[Job]:
    half = aliased(Job)
    unfinished = select(half.id).where(half.parent_id == Job.id, half.state.not_in(ENDED)).exists()
    due = update(Job).where(which, PARKED, Job.parent_id.is_(None), ~unfinished)
    return list(work.session.scalars(due.values(run_at=func.now()).returning(Job)))


def _with_recording(work: Work, *which: ColumnElement[bool]) -> list[Job]:
    parent = aliased(Job)
    values = {name: getattr(parent, name) for name in ("audio_key", "sha256", "size_bytes", "content_type")}
    due = update(Job).where(*which, PARKED, Job.parent_id == parent.id, parent.audio_key.is_not(None))
    return list(
        work.session.scalars(due.values(run_at=func.now(), estimated_s=parent.estimated_s, **values).returning(Job))
    )
