"""Halves: hidden jobs of the batch queue that bring the words of a diarization, side by side with its turns.

They are written by their parent's transactions only: whoever changes them here holds the parent's row.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import func, select, update

from app.domain.errors import Cancelled
from app.domain.job import Mode
from app.domain.states import JobState, transition
from app.models import Job
from app.services.database import Work
from app.services.jobs.parking import NEVER


def halves_of(work: Work, parent_id: UUID, *, lock: bool = False) -> Sequence[Job]:
    """The halves of a job, in the order of their channels; with `lock` no worker takes one until the transaction ends.

    Whoever locks them has the parent locked before.
    """
    query = select(Job).where(Job.parent_id == parent_id).order_by(Job.options["channel"].as_integer(), Job.id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return work.session.scalars(query).all()


def halves_by_parent(work: Work, parents: Sequence[Job]) -> Mapping[UUID, Sequence[Job]]:
    """The halves of several jobs; an empty sequence for those that have none."""
    asked = [parent.id for parent in parents if parent.mode == Mode.DIARIZATION and parent.state != JobState.COMPLETED]
    found: dict[UUID, list[Job]] = {parent.id: [] for parent in parents}
    for half in work.session.scalars(select(Job).where(Job.parent_id.in_(asked))) if asked else ():
        assert half.parent_id is not None, "it was found by it"
        found[half.parent_id].append(half)
    return found


def stop_halves(work: Work, parent_id: UUID) -> list[Job]:
    """Their parent has ended otherwise: those that wait are cancelled, those that run are asked to stop.

    Gives those that waited.
    """
    waiting = [half for half in halves_of(work, parent_id, lock=True) if half.state == JobState.QUEUED]
    now = work.session.scalar(select(func.now()))
    for half in waiting:
        half.finished_at = now
        half.error_code = Cancelled.code
        half.state = transition(JobState.QUEUED, JobState.CANCELLED)
    running = update(Job).where(Job.parent_id == parent_id, Job.state == JobState.PROCESSING)
    work.session.execute(running.values(cancel_requested=True))
    return waiting


def begin_again(work: Work, parent: Job) -> list[Job]:
    """Halves that have not brought anything are queued anew, also one that is just being stopped: its run is fenced.

    Gives them; what they have finished of their recording is not done again.
    """
    halves = halves_of(work, parent.id, lock=True)
    lost = [half for half in halves if _is_lost(half) or parent.audio_key is None]
    for half in lost:
        half.state = JobState.QUEUED
        half.claim = half.finished_at = None
        half.cancel_requested = False
        half.failures = half.crashes = 0
        half.audio_key = parent.audio_key
        half.run_at = NEVER if parent.audio_key is None else func.now()
        half.error_code = half.error_message = half.error_params = half.error_retryable = None
    work.session.flush()
    for half in lost:
        work.session.refresh(half)
    return [half for half in lost if half.run_at < NEVER]


def _is_lost(half: Job) -> bool:
    return half.state in {JobState.FAILED, JobState.CANCELLED} or half.cancel_requested
