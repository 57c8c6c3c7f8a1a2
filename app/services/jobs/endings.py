"""How a run ends: PROCESSING → COMPLETED | FAILED | CANCELLED, or back to QUEUED."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, update

from app.domain.errors import Cancelled, ParloirError, Poisoned
from app.domain.job import Mode
from app.domain.states import JobState
from app.domain.transcript import Transcript
from app.helpers.backoff import backoff_s
from app.models import Job, JobError
from app.observability.redaction import redacted
from app.services.database import Database, Work
from app.services.delivery.outbox import owe
from app.services.jobs.bell import Bell
from app.services.jobs.claimed import ClaimedJob
from app.services.jobs.claims import OWNED
from app.services.jobs.completing import COMPLETE, Result, completions
from app.services.jobs.halves import stop_halves
from app.services.jobs.narrator import Narrator
from app.services.jobs.parking import lock_parent, wake_parent
from app.services.statements import Statement

RELEASE = Statement.of(
    update(Job)
    .where(OWNED)
    .values(state=JobState.QUEUED, claim=None, run_at=func.now(), releases=Job.releases + 1)
    .returning(Job.id)
)
"""PROCESSING → QUEUED."""

KEPT_ERRORS = 10
MAX_DETAIL_LENGTH = 16_000
"""The end of a traceback tells most; one that quotes a whole body must not fill the table."""

FAILURE = ("error_code", "error_message", "error_params", "error_retryable")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a job is run again: after failures that a retry can help, and after crashes, counted apart."""

    max_attempts: int = 3
    max_crashes: int = 3
    base_s: float = 2.0


@dataclass(frozen=True, slots=True)
class Blame:
    """How a run went wrong: `kind` is failure, crash or release; `detail` is for the operator only."""

    kind: str
    error: ParloirError
    detail: str | None = None


class Endings:
    """The last write of a run. Each is fenced by the claim token and answers False if the job was no longer ours."""

    def __init__(
        self, database: Database, narrator: Narrator, worker: str, policy: RetryPolicy, bell: Bell | None = None
    ) -> None:
        """`bell` offers the jobs that the end of one of their halves makes due."""
        self._database = database
        self._bell = bell or Bell()
        self._narrator = narrator
        self._worker = worker
        self._policy = policy

    def complete(self, job: ClaimedJob, transcript: Transcript) -> bool:
        """PROCESSING → COMPLETED: the transcript and the state, in one transaction.

        Asking again, because the first answer was lost, is answered True again.

        Raises:
            Unavailable: PostgreSQL cannot be reached.
        """
        return not self.complete_all([Result(job, transcript)])

    def complete_all(self, results: Sequence[Result]) -> list[Result]:
        """The same for many, all in one transaction; gives those whose job was no longer ours.

        Raises:
            Unavailable: PostgreSQL cannot be reached.
            psycopg2.Error: one of the results cannot be stored, and so none of them was.
        """
        ended = self._completed(results)
        for result in results:
            if result.job.id in ended:
                self._narrator.state(result.job.id, JobState.COMPLETED, result.job.attempt)
        return [result for result in results if result.job.id not in ended and not self._was_completed(result.job)]

    def _completed(self, results: Sequence[Result]) -> set[str]:
        if not any(_concerns_others(result.job) for result in results):
            return {str(row[0]) for row in self._database.rows(COMPLETE, completions(results))}
        with self._database.work() as work:
            return self._completed_within(work, results)

    def _completed_within(self, work: Work, results: Sequence[Result]) -> set[str]:
        # Two that end halves of the same jobs lock these in the same order: neither waits for the other for ever.
        for parent_id in sorted({result.job.parent_id for result in results if result.job.parent_id}):
            lock_parent(work, parent_id)
        ended = {str(row[0]) for row in work.rows(COMPLETE, completions(results))}
        for job in (result.job for result in results if result.job.id in ended):
            if job.callback_url is not None:
                owe(work, work.session.get_one(Job, UUID(job.id)))
            self._wake_parent(work, job)
        return ended

    def _was_completed(self, job: ClaimedJob) -> bool:
        with self._database.work() as work:
            return self._ended(work, job, JobState.COMPLETED)

    def complete_within(self, work: Work, job: ClaimedJob, transcript: Transcript) -> bool:
        """PROCESSING → COMPLETED as part of a larger transaction; nobody is told of it yet."""
        return bool(self._completed_within(work, [Result(job, transcript)]))

    def fail_within(self, work: Work, job: ClaimedJob, half: Job) -> bool:
        """PROCESSING → FAILED for the reason for which a half of the job has, as part of a larger transaction."""
        facts = {name: getattr(half, name) for name in FAILURE}
        return self._end(work, job, JobState.FAILED, facts)

    def cancel_within(self, work: Work, job: ClaimedJob) -> bool:
        """PROCESSING → CANCELLED as part of a larger transaction."""
        return self._end(work, job, JobState.CANCELLED, {"error_code": Cancelled.code})

    def has_ended(self, work: Work, job: ClaimedJob) -> bool:
        """Whether this run has completed or failed the job before, and only the answer was lost."""
        return any(self._ended(work, job, state) for state in (JobState.COMPLETED, JobState.FAILED))

    def fail(self, job: ClaimedJob, error: ParloirError, detail: str | None = None) -> bool:
        """PROCESSING → QUEUED after a pause if a retry can help and is still due, else PROCESSING → FAILED.

        Raises:
            Unavailable: PostgreSQL cannot be reached.
        """
        failures = job.failures + 1
        blame = Blame("failure", error, detail)
        if error.retryable and failures < self._policy.max_attempts:
            wait_s = backoff_s(failures, base_s=self._policy.base_s)
            return self._requeue(job, blame, {"failures": failures}, wait_s)
        return self._give_up(job, blame, error, {"failures": failures})

    def crash(self, job: ClaimedJob, error: ParloirError, detail: str | None = None) -> bool:
        """PROCESSING → QUEUED at once, or → FAILED as poison: the process that did the work was lost.

        Raises:
            Unavailable: PostgreSQL cannot be reached.
        """
        crashes = job.crashes + 1
        blame = Blame("crash", error, detail)
        if crashes >= self._policy.max_crashes:
            return self._give_up(job, blame, Poisoned(crashes=crashes), {"crashes": crashes})
        return self._requeue(job, blame, {"crashes": crashes}, 0.0)

    def release(self, job: ClaimedJob) -> bool:
        """PROCESSING → QUEUED at once: this worker stops; nobody is to blame.

        Raises:
            Unavailable: PostgreSQL cannot be reached.
        """
        with self._database.work() as work:
            return self._back(work, job, {"releases": Job.releases + 1}, 0.0)

    def release_all(self, jobs: Sequence[ClaimedJob]) -> int:
        """The same for jobs that wait behind others and have not begun; how many were no longer ours.

        Raises:
            Unavailable: PostgreSQL cannot be reached.
        """
        released: set[str] = set()
        for token in {job.token for job in jobs}:
            held = [job.id for job in jobs if job.token == token]
            released |= {str(row[0]) for row in self._database.rows(RELEASE, {"jobs": held, "token": token})}
        for job in jobs:
            if job.id in released:
                self._narrator.state(job.id, JobState.QUEUED, job.attempt)
        return len(jobs) - len(released)

    def cancel(self, job: ClaimedJob) -> bool:
        """PROCESSING → CANCELLED: somebody asked, and the run has stopped.

        Raises:
            Unavailable: PostgreSQL cannot be reached.
        """
        with self._database.work() as work:
            return self.cancel_within(work, job) or self._ended(work, job, JobState.CANCELLED)

    def _requeue(self, job: ClaimedJob, blame: Blame, counts: dict[str, Any], wait_s: float) -> bool:
        with self._database.work() as work:
            held = self._back(work, job, counts, wait_s)
            if held:
                self._note(work, job, blame)
            return held

    def _give_up(self, job: ClaimedJob, blame: Blame, error: ParloirError, counts: dict[str, Any]) -> bool:
        facts = {
            **counts,
            "error_code": error.code,
            "error_message": redacted(error.message),
            "error_params": {name: redacted(str(value)) for name, value in error.params.items()},
            "error_retryable": error.retryable,
        }
        with self._database.work() as work:
            if not self._end(work, job, JobState.FAILED, facts):
                return self._ended(work, job, JobState.FAILED)
            self._note(work, job, blame)
            return True

    def _end(self, work: Work, job: ClaimedJob, state: JobState, facts: dict[str, Any]) -> bool:
        self._lock_parent(work, job)
        ended = work.session.scalar(
            update(Job)
            .where(Job.id == UUID(job.id), Job.claim == job.token)
            .values(state=state, claim=None, ended_by=job.token, finished_at=func.now(), **facts)
            .returning(Job)
        )
        if ended is not None:
            owe(work, ended)
            self._wake_parent(work, job)
            self._bell.drop(work, stop_halves(work, ended.id) if job.mode is Mode.DIARIZATION else ())
            code = {"error_code": facts["error_code"]} if "error_code" in facts else {}
            work.after_commit(lambda: self._narrator.state(job.id, state, job.attempt, **code))
        return ended is not None

    def _lock_parent(self, work: Work, job: ClaimedJob) -> None:
        if job.parent_id is not None:
            lock_parent(work, job.parent_id)

    def _wake_parent(self, work: Work, job: ClaimedJob) -> None:
        if job.parent_id is not None:
            self._bell.ring(work, wake_parent(work, job.parent_id))

    def _back(self, work: Work, job: ClaimedJob, counts: dict[str, Any], wait_s: float) -> bool:
        held = work.session.execute(
            update(Job)
            .where(Job.id == UUID(job.id), Job.claim == job.token)
            .values(
                state=JobState.QUEUED,
                claim=None,
                run_at=func.now() + timedelta(seconds=wait_s),
                **counts,
            )
            .returning(Job.id)
        ).first()
        if held is not None:
            work.after_commit(lambda: self._narrator.state(job.id, JobState.QUEUED, job.attempt))
        return held is not None

    def _ended(self, work: Work, job: ClaimedJob, state: JobState) -> bool:
        """Whether this run has ended the job so before: the first answer was lost."""
        mine = select(Job).where(Job.id == UUID(job.id), Job.ended_by == job.token, Job.state == state)
        ended = work.session.scalar(mine)
        if ended is not None:
            # With the answer, the event was lost; should it have been told, Redis refuses it.
            code = {"error_code": ended.error_code} if ended.error_code else {}
            work.after_commit(lambda: self._narrator.state(job.id, state, job.attempt, **code))
        return ended is not None

    def _note(self, work: Work, job: ClaimedJob, blame: Blame) -> None:
        work.session.add(
            JobError(
                job_id=UUID(job.id),
                attempt=job.attempt,
                kind=blame.kind,
                code=blame.error.code,
                message=redacted(blame.error.message),
                detail=_kept(blame.detail),
                worker=self._worker,
            )
        )
        work.session.flush()
        newest = select(JobError.id).where(JobError.job_id == UUID(job.id)).order_by(JobError.id.desc())
        kept = newest.limit(KEPT_ERRORS).scalar_subquery()
        work.session.execute(delete(JobError).where(JobError.job_id == UUID(job.id), JobError.id.not_in(kept)))


def _concerns_others(job: ClaimedJob) -> bool:
    """Whether more has to be written at its end than its own rows."""
    return job.callback_url is not None or job.parent_id is not None


def _kept(detail: str | None) -> str | None:
    """What is stored of a traceback: without secrets, and without the NUL that PostgreSQL does not take."""
    return redacted(detail).replace("\x00", "")[-MAX_DETAIL_LENGTH:] if detail else None
