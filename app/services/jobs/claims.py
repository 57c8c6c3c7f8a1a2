"""Taking a job, keeping it, giving it back: QUEUED → PROCESSING → QUEUED."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, Executable, Float, Row, Uuid, and_, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.audio.sniff import estimated_duration_s, sniff
from app.domain.errors import Unavailable
from app.domain.job import Mode
from app.domain.peaks import Peaks
from app.domain.states import JobState
from app.models import Job, JobPart, JobPeaks
from app.services.database import Database, Unhurried
from app.services.jobs.claimed import COLUMNS, ClaimedJob, claimed
from app.services.jobs.narrator import Narrator
from app.services.media.storage import StoredAudio
from app.services.transcription.checkpoint import Checkpoint, PartResult

log = structlog.get_logger(__name__)

DUE = and_(Job.state == JobState.QUEUED, Job.run_at <= func.now())


def _take(which: ColumnElement[bool]) -> Executable:
    """QUEUED → PROCESSING. Built once: putting a statement together costs more than running it."""
    return (
        update(Job)
        .where(which)
        .values(
            state=JobState.PROCESSING,
            claim=bindparam("token", type_=Uuid),
            worker=bindparam("worker"),
            attempt=Job.attempt + 1,
            beat=0,
            beat_at=func.now(),
            started_at=func.coalesce(Job.started_at, func.now()),
        )
        .returning(*COLUMNS)
    )


TAKE_ONE = _take(and_(Job.id == bindparam("job", type_=Uuid), DUE))
TAKE_OLDEST = _take(
    Job.id
    == select(Job.id)
    .where(DUE, Job.mode == bindparam("of_mode"))
    .order_by(Job.priority, Job.run_at, Job.id)
    .limit(1)
    .with_for_update(skip_locked=True)
    .scalar_subquery()
)
TAKEN = select(*COLUMNS).where(Job.claim == bindparam("token", type_=Uuid))
BEAT = (
    update(Job)
    .where(Job.id == bindparam("job", type_=Uuid), Job.claim == bindparam("token", type_=Uuid))
    .values(
        beat=Job.beat + 1,
        beat_at=func.now(),
        progress=func.greatest(Job.progress, bindparam("done", type_=Float)),
        duration_s=func.coalesce(bindparam("length_s", type_=Float), Job.duration_s),
    )
    .returning(Job.cancel_requested)
)


@dataclass(frozen=True, slots=True)
class Beat:
    """The answer to a sign of life: what somebody has asked of the run meanwhile."""

    cancel_requested: bool


class Claims:
    """The worker's hold on its jobs. Every write is fenced by the claim token."""

    def __init__(self, database: Database, unhurried: Unhurried, narrator: Narrator, worker: str) -> None:
        """Claims and beats go to `unhurried`."""
        self._database = database
        self._unhurried = unhurried
        self._narrator = narrator
        self._worker = worker

    def claim(self, job_id: str, token: UUID) -> ClaimedJob | None:
        """QUEUED → PROCESSING for this job, if it is due; None if the hint was stale.

        Asking again with the same token, because the first answer was lost, gives the same job.

        Raises:
            Unavailable: PostgreSQL cannot be reached.
        """
        asked = {"job": UUID(job_id), "token": token, "worker": self._worker}
        taken = self._unhurried.first(TAKE_ONE, asked) or self._unhurried.first(TAKEN, {"token": token})
        return self._told(taken, token)

    def claim_oldest(self, mode: Mode, token: UUID) -> ClaimedJob | None:
        """QUEUED → PROCESSING for the most urgent due job, found without Redis; rows that others hold are skipped.

        Raises:
            Unavailable: PostgreSQL cannot be reached.
        """
        asked = {"of_mode": mode.value, "token": token, "worker": self._worker}
        try:
            taken = self._unhurried.first(TAKE_OLDEST, asked)
        except Unavailable:
            # The answer may have been lost after the commit; asking the same again would take a second job.
            taken = self._unhurried.first(TAKEN, {"token": token})
        return self._told(taken, token)

    def _told(self, row: Row[Any] | None, token: UUID) -> ClaimedJob | None:
        if row is None:
            return None
        job = claimed(row, token)
        log.info("job_claimed", job_id=job.id, attempt=job.attempt)
        self._narrator.state(job.id, JobState.PROCESSING, job.attempt)
        return job

    def beat(self, job: ClaimedJob, progress: float, duration_s: float | None) -> Beat | None:
        """Say that the run is alive and how far it is; None if the job is no longer this run's.

        Raises:
            Unavailable: PostgreSQL cannot be reached.
        """
        told = {"job": UUID(job.id), "token": job.token, "done": progress, "length_s": duration_s}
        row = self._unhurried.first(BEAT, told)
        return None if row is None else Beat(cancel_requested=row.cancel_requested)

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
            # An earlier run may have left a part of this number that does not follow on the one before.
            newest = insert(JobPart).values(row)
            keys = ["job_id", "part"]
            work.session.execute(newest.on_conflict_do_update(index_elements=keys, set_=dict(newest.excluded)))
            return True

    def store_peaks(self, job: ClaimedJob, peaks: Peaks) -> bool:
        """Keep the outline of the recording; False if the job is no longer this run's.

        Raises:
            Unavailable: PostgreSQL cannot be reached.
        """
        with self._database.work() as work:
            if not holds(work.session, job):
                return False
            newest = insert(JobPeaks).values(job_id=UUID(job.id), bucket_s=peaks.bucket_s, pairs=peaks.pairs)
            kept = {"bucket_s": newest.excluded.bucket_s, "pairs": newest.excluded.pairs}
            work.session.execute(newest.on_conflict_do_update(index_elements=["job_id"], set_=kept))
            return True

    def fetched(self, job: ClaimedJob, stored: StoredAudio) -> bool:
        """Note where the fetched recording is, so that no run fetches it again; False if the job is not this run's.

        Raises:
            NotAudio: it is no recording that we read.
            Unavailable: PostgreSQL cannot be reached.
        """
        container = sniff(stored.head)
        with self._database.work() as work:
            noted = work.session.scalar(
                update(Job)
                .where(Job.id == UUID(job.id), Job.claim == job.token)
                .values(
                    audio_key=stored.key,
                    sha256=stored.sha256,
                    size_bytes=stored.size_bytes,
                    content_type=container.content_type,
                    estimated_s=estimated_duration_s(container, stored.size_bytes, stored.head),
                )
                .returning(Job.id)
            )
            return noted is not None

    def checkpoint(self, job: ClaimedJob) -> Checkpoint:
        """The parts that earlier runs have finished.

        Raises:
            Unavailable: PostgreSQL cannot be reached.
        """
        if job.attempt == 1:
            return Checkpoint()
        with self._database.work() as work:
            rows = work.session.scalars(select(JobPart).where(JobPart.job_id == UUID(job.id)).order_by(JobPart.part))
            return Checkpoint.of(_part(row) for row in rows)


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
