"""Jobs done in halves: a diarization's words come from hidden jobs of the batch queue, side by side with its turns.

The job that the client knows is the parent. Once its turns are known and its words are not, it is *parked*: queued,
but due only at the end of time, so that no worker takes it. Whichever half ends last makes it due again, in the
transaction of its own end. Both sides lock the parent first, so that neither can miss the other: either the parent
sees that its halves have ended, or the half sees that its parent is parked.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

import structlog
from sqlalchemy import and_, func, select, update
from sqlalchemy.orm import aliased

from app.domain.errors import Cancelled, Unavailable
from app.domain.job import Mode
from app.domain.states import FINAL_STATES, JobState, transition
from app.models import Job, Project
from app.queues.breaker import Breaker
from app.queues.hints import Hint, HintQueue
from app.services.database import Database, Work

log = structlog.get_logger(__name__)

NEVER = datetime(9000, 1, 1, tzinfo=UTC)
"""When parked jobs are due. Not PostgreSQL's infinity, from which older ones cannot subtract, and Python not at all."""

PARKED = and_(Job.state == JobState.QUEUED, Job.run_at == NEVER)
ENDED = [state.value for state in FINAL_STATES]


class Bell:
    """Offers jobs that a transaction has made due, once it is committed; a lost hint is found out by the reconciler."""

    def __init__(self, queues: Mapping[Mode, HintQueue] | None = None) -> None:
        """Without `queues` nothing is offered at once."""
        self._queues = queues or {}
        self._breaker = Breaker()

    def ring(self, work: Work, jobs: Iterable[Job]) -> None:
        """Offer these jobs after the commit."""
        for job in jobs if self._queues else ():
            weight = work.session.scalar(select(Project.weight).where(Project.id == job.project_id)) or 1.0
            hint = Hint(str(job.id), job.project_id, job.priority, job.estimated_s / weight)
            work.after_commit(self._offering(Mode(job.mode), hint))

    def drop(self, work: Work, jobs: Iterable[Job]) -> None:
        """Take the hints of these jobs away after the commit."""
        for job in jobs if self._queues else ():
            work.after_commit(self._dropping(Mode(job.mode), str(job.id)))

    def _offering(self, mode: Mode, hint: Hint) -> Callable[[], None]:
        return lambda: self._try(lambda: self._queues[mode].offer(hint))

    def _dropping(self, mode: Mode, job_id: str) -> Callable[[], None]:
        return lambda: self._try(lambda: self._queues[mode].drop(job_id))

    def _try(self, action: Callable[[], object]) -> None:
        try:
            self._breaker.call(action)
        except Unavailable:
            log.warning("queue_unreachable")


def halves_of(work: Work, parent_id: UUID) -> Sequence[Job]:
    """The halves of a job, in the order of their channels."""
    return work.session.scalars(
        select(Job).where(Job.parent_id == parent_id).order_by(Job.options["channel"].as_integer(), Job.id)
    ).all()


def halves_by_parent(work: Work, parents: Iterable[Job]) -> Mapping[UUID, Sequence[Job]]:
    """The halves of several jobs; an empty sequence for those that have none."""
    asked = [parent.id for parent in parents if parent.mode == Mode.DIARIZATION and parent.state != JobState.COMPLETED]
    found: dict[UUID, list[Job]] = defaultdict(list)
    for half in work.session.scalars(select(Job).where(Job.parent_id.in_(asked))) if asked else ():
        assert half.parent_id is not None, "it was found by it"
        found[half.parent_id].append(half)
    return found


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


def stop_halves(work: Work, parent_id: UUID) -> list[Job]:
    """Their parent has ended otherwise: those that wait are cancelled, those that run are asked to stop.

    Gives those that waited.
    """
    waiting = [half for half in halves_of(work, parent_id) if half.state == JobState.QUEUED]
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
    lost = [half for half in halves_of(work, parent.id) if _is_lost(half) or parent.audio_key is None]
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


def _woken(work: Work, which: object) -> list[Job]:
    half = aliased(Job)
    unfinished = select(half.id).where(half.parent_id == Job.id, half.state.not_in(ENDED)).exists()
    due = update(Job).where(which, PARKED, Job.parent_id.is_(None), ~unfinished)  # type: ignore[arg-type]
    return list(work.session.scalars(due.values(run_at=func.now()).returning(Job)))


def _with_recording(work: Work, *which: object) -> list[Job]:
    parent = aliased(Job)
    values = {name: getattr(parent, name) for name in ("audio_key", "sha256", "size_bytes", "content_type")}
    due = update(Job).where(*which, PARKED, Job.parent_id == parent.id, parent.audio_key.is_not(None))  # type: ignore[arg-type]
    return list(
        work.session.scalars(due.values(run_at=func.now(), estimated_s=parent.estimated_s, **values).returning(Job))
    )
