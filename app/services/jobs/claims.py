"""Taking a job, keeping it, giving it back: QUEUED → PROCESSING → QUEUED."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import and_, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.domain.job import Mode
from app.domain.states import JobState
from app.models import Job, JobPart
from app.services.database import Database, Work
from app.services.jobs.claimed import ClaimedJob, claimed
from app.services.jobs.narrator import Narrator
from app.services.transcription.checkpoint import Checkpoint, PartResult

DUE = and_(Job.state == JobState.QUEUED, Job.run_at <= func.now())


@dataclass(frozen=True, slots=True)
class Beat:
    """The answer to a sign of life: what somebody has asked of the run meanwhile."""

    cancel_requested: bool


class Claims:
    """The worker's hold on its jobs. Every write is fenced by the claim token."""

    def __init__(self, database: Database, narrator: Narrator, worker: str) -> None:
        self._database = database
        self._narrator = narrator
        self._worker = worker

    def claim(self, job_id: str, token: UUID) -> ClaimedJob | None:
        """QUEUED → PROCESSING for this job, if it is due; None if the hint was stale.

        Asking again with the same token, because the first answer was lost, gives the same job.

        Raises:
            Unavailable: PostgreSQL cannot be reached.
        """
        with self._database.work() as work:
            job = self._take(work, and_(Job.id == UUID(job_id), DUE), token)
            job = job or work.session.scalar(select(Job).where(Job.claim == token))
            return self._told(work, job, token)

    def claim_oldest(self, mode: Mode, token: UUID) -> ClaimedJob | None:
        """QUEUED → PROCESSING for the most urgent due job, found without Redis; rows that others look at are skipped.

        Raises:
            Unavailable: PostgreSQL cannot be reached.
        """
        oldest = (
            select(Job.id)
            .where(DUE, Job.mode == mode.value)
            .order_by(Job.priority, Job.run_at, Job.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        with self._database.work() as work:
            return self._told(work, self._take(work, Job.id == oldest.scalar_subquery(), token), token)

    def _take(self, work: Work, which: object, token: UUID) -> Job | None:
        # A claim that a crash of PostgreSQL forgets leaves a job that is due again: no need to wait for the disk.
        work.unhurried()
        return work.session.scalar(
            update(Job)
            .where(which)  # type: ignore[arg-type]
            .values(
                state=JobState.PROCESSING,
                claim=token,
                worker=self._worker,
                attempt=Job.attempt + 1,
                beat=0,
                started_at=func.coalesce(Job.started_at, func.now()),
            )
            .returning(Job)
        )

    def _told(self, work: Work, job: Job | None, token: UUID) -> ClaimedJob | None:
        if job is None:
            return None
        taken = claimed(job, token)
        work.after_commit(lambda: self._narrator.state(taken.id, JobState.PROCESSING, taken.attempt))
        return taken

    def beat(self, job: ClaimedJob, progress: float, duration_s: float | None) -> Beat | None:
        """Say that the run is alive and how far it is; None if the job is no longer this run's.

        Raises:
            Unavailable: PostgreSQL cannot be reached.
        """
        with self._database.work() as work:
            work.unhurried()
            asked = work.session.scalar(
                update(Job)
                .where(Job.id == UUID(job.id), Job.claim == job.token)
                .values(
                    beat=Job.beat + 1,
                    progress=func.greatest(Job.progress, progress),
                    duration_s=func.coalesce(duration_s, Job.duration_s),
                )
                .returning(Job.cancel_requested)
            )
        return None if asked is None else Beat(cancel_requested=asked)

    def store_part(self, job: ClaimedJob, part: PartResult) -> bool:
        """Keep a finished part, so that a later run goes on after it; False if the job is no longer this run's.

        Raises:
            Unavailable: PostgreSQL cannot be reached.
        """
        with self._database.work() as work:
            if not holds(work.session, job):
                return False
            row = {
                "job_id": UUID(job.id),
                "part": part.index,
                "start_sample": part.start_sample,
                "end_sample": part.end_sample,
                "language": part.language,
                "segments": part.to_dict()["segments"],
            }
            work.session.execute(insert(JobPart).values(row).on_conflict_do_nothing())
            return True

    def checkpoint(self, job: ClaimedJob) -> Checkpoint:
        """The parts that earlier runs have finished.

        Raises:
            Unavailable: PostgreSQL cannot be reached.
        """
        with self._database.work() as work:
            rows = work.session.scalars(select(JobPart).where(JobPart.job_id == UUID(job.id)).order_by(JobPart.part))
            return Checkpoint(tuple(_part(row) for row in rows))


def holds(session: Session, job: ClaimedJob) -> bool:
    """Whether the job is still this run's; locks the row until the transaction ends, so that it stays so."""
    owned = select(Job.id).where(Job.id == UUID(job.id), Job.claim == job.token).with_for_update()
    return session.scalar(owned) is not None


def _part(row: JobPart) -> PartResult:
    stored = {
        "index": row.part,
        "start_sample": row.start_sample,
        "end_sample": row.end_sample,
        "language": row.language,
        "segments": row.segments,
    }
    return PartResult.from_dict(stored)
