"""Taking a job, keeping it, giving it back: QUEUED → PROCESSING → QUEUED."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog
from sqlalchemy import ARRAY, ColumnElement, Float, Uuid, and_, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.audio.sniff import estimated_duration_s, sniff
from app.domain.errors import Unavailable
from app.domain.job import Mode
from app.domain.peaks import Peaks
from app.domain.states import JobState
from app.models import Job, JobPart, JobPeaks
from app.services.database import Database, Unhurried
from app.services.jobs.claimed import COLUMNS, ClaimedJob, claimed_values
from app.services.jobs.narrator import Narrator
from app.services.jobs.parking import share_recording
from app.services.media.storage import StoredAudio
from app.services.statements import Statement
from app.services.transcription.checkpoint import Checkpoint, PartResult

log = structlog.get_logger(__name__)

DUE = and_(Job.state == JobState.QUEUED, Job.run_at <= func.now())


def _take(which: ColumnElement[bool]) -> Statement:
    """QUEUED → PROCESSING."""
    return Statement.of(
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


def _any_of(jobs: str) -> ColumnElement[bool]:
    return Job.id == func.any(bindparam(jobs, type_=ARRAY(Uuid)))


OWNED = and_(_any_of("jobs"), Job.claim == bindparam("token", type_=Uuid))
TAKE = _take(and_(_any_of("jobs"), DUE))
# A half is not taken so: the job whose half it is waits for it, and not also for those before it.
TAKE_AHEAD = _take(
    and_(_any_of("jobs"), DUE, Job.parent_id.is_(None), Job.estimated_s <= bindparam("at_most_s", type_=Float))
)
TAKE_OLDEST = _take(
    Job.id
    == select(Job.id)
    .where(DUE, Job.mode == bindparam("of_mode"))
    .order_by(Job.priority, Job.run_at, Job.id)
    .limit(1)
    .with_for_update(skip_locked=True)
    .scalar_subquery()
)
# The state is named for the index over running jobs.
TAKEN = Statement.of(
    select(*COLUMNS).where(Job.state == JobState.PROCESSING, Job.claim == bindparam("token", type_=Uuid))
)
BEAT = Statement.of(
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
BEAT_BEHIND = Statement.of(update(Job).where(OWNED).values(beat=Job.beat + 1, beat_at=func.now()).returning(Job.id))
# A commit that waits for the disk takes all before it along; the setting ends with the statement's transaction.
MAKE_CERTAIN = Statement.of(
    update(Job)
    .where(Job.id == bindparam("job", type_=Uuid), Job.claim == bindparam("token", type_=Uuid))
    .values(beat=Job.beat + 1, beat_at=func.now())
    .returning(func.set_config("synchronous_commit", "on", True))
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
        """QUEUED → PROCESSING for this job, if it is due; None if the hint was stale. See `claim_all`."""
        return next(iter(self.claim_all([job_id], token)), None)

    def claim_all(self, job_ids: Sequence[str], token: UUID, at_most_s: float | None = None) -> list[ClaimedJob]:
        """QUEUED → PROCESSING for those of these jobs that are due.

        With `at_most_s` only those that may be claimed ahead: of at most so many seconds of sound, and no halves. They
        come in the order given. Asking again with the same token, because the first answer was lost, gives the same
        jobs. `tell` is to be called of each, once its run has begun.

        Raises:
            Unavailable: PostgreSQL cannot be reached.
        """
        asked = {"jobs": list(job_ids), "token": token, "worker": self._worker}
        ahead = {} if at_most_s is None else {"at_most_s": at_most_s}
        taken = self._unhurried.rows(TAKE_AHEAD if ahead else TAKE, {**asked, **ahead})
        if len(taken) < len(job_ids):
            taken = self._unhurried.rows(TAKEN, {"token": token})
        jobs = {job.id: job for job in (claimed_values(row, token) for row in taken)}
        return [jobs[job_id] for job_id in job_ids if job_id in jobs]

    def claim_oldest(self, mode: Mode, token: UUID) -> ClaimedJob | None:
        """QUEUED → PROCESSING for the most urgent due job, found without Redis; rows that others hold are skipped.

        Raises:
            Unavailable: PostgreSQL cannot be reached.
        """
        asked = {"of_mode": mode.value, "token": token, "worker": self._worker}
        try:
            taken = self._unhurried.rows(TAKE_OLDEST, asked)
        except Unavailable:
            # The answer may have been lost after the commit; asking the same again would take a second job.
            taken = self._unhurried.rows(TAKEN, {"token": token})
        return claimed_values(taken[0], token) if taken else None

    def tell(self, job: ClaimedJob) -> None:
        """Tell that a claimed job runs: apart from the claim, because nobody's run waits for it."""
        log.info("job_claimed", job_id=job.id, attempt=job.attempt)
        self._narrator.state(job.id, JobState.PROCESSING, job.attempt)

    def beat_behind(self, jobs: Sequence[ClaimedJob]) -> None:
        """Say that the worker still holds jobs that wait behind the one that runs; all were claimed in one go.

        One that is no longer held is found out when it comes to its end.

        Raises:
            Unavailable: PostgreSQL cannot be reached.
        """
        if jobs:
            self._unhurried.rows(BEAT_BEHIND, {"jobs": [job.id for job in jobs], "token": jobs[0].token})

    def beat(self, job: ClaimedJob, progress: float, duration_s: float | None) -> Beat | None:
        """Say that the run is alive and how far it is; None if the job is no longer this run's.

        Raises:
            Unavailable: PostgreSQL cannot be reached.
        """
        told = {"job": job.id, "token": job.token, "done": progress, "length_s": duration_s}
        held = self._unhurried.rows(BEAT, told)
        return Beat(cancel_requested=held[0][0]) if held else None

    def make_certain(self, job: ClaimedJob) -> bool:
        """Have the claim on disk when this returns; False if the job is no longer this run's.

        Raises:
            Unavailable: PostgreSQL cannot be reached.
        """
        return bool(self._unhurried.rows(MAKE_CERTAIN, {"job": job.id, "token": job.token}))

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
            if noted is not None and job.mode is Mode.DIARIZATION:
                share_recording(work, noted)  # the reconciler of their queue offers them
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
