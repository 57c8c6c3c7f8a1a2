"""Dead letters: looking at jobs that failed for good, having them done again, removing them. For administrators."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Protocol
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, Select, func, not_, or_, select, tuple_

from app.domain.dead import DeadJob, Handled, Refusal, RunError
from app.domain.errors import Conflict, Forbidden, NotFound, RecordingRemoved
from app.domain.principal import Principal
from app.domain.states import JobState
from app.models import Job, JobError
from app.services.database import Database, Work
from app.services.jobs.control import Control
from app.services.jobs.cursor import cursor_of, position_of
from app.services.jobs.halves import halves_of
from app.services.jobs.views import view

log = structlog.get_logger(__name__)

MAX_AT_ONCE = 500
"""How many jobs one order may be for, so that a request ends."""

HAS_SOURCE = or_(Job.audio_key.is_not(None), Job.audio_url.is_not(None))
"""There is something left to do it again with."""


@dataclass(frozen=True, slots=True)
class DeadFilter:
    """Which dead letters; all that is given must hold. Ages are seconds since the end of the job."""

    code: str | None = None
    project_id: str | None = None
    older_than_s: float | None = None
    younger_than_s: float | None = None


@dataclass(frozen=True, slots=True)
class DeadPage:
    """Some dead letters, newest first, and where the next page begins (None: there is none)."""

    jobs: tuple[DeadJob, ...]
    next_cursor: str | None = None


class _Action(Protocol):
    def __call__(self, principal: Principal, job_id: str, *, only: JobState) -> object: ...


class DeadLetters:
    """The operator's view of failed jobs, over all projects. Every call refuses whoever is no administrator."""

    def __init__(self, database: Database, control: Control) -> None:
        self._database = database
        self._control = control

    def list_dead(
        self, principal: Principal, wanted: DeadFilter, *, cursor: str | None = None, limit: int = 50
    ) -> DeadPage:
        """A page of dead letters, newest first.

        Raises:
            Forbidden: the principal is no administrator.
            InvalidFields: the cursor is none of ours.
            Unavailable: PostgreSQL cannot be reached.
        """
        _require_admin(principal)
        query = _filtered(select(Job), wanted).order_by(Job.finished_at.desc(), Job.id.desc()).limit(limit + 1)
        if cursor is not None:
            query = query.where(tuple_(Job.finished_at, Job.id) < position_of(cursor))
        with self._database.work() as work:
            rows = list(work.session.scalars(query))
        return DeadPage(tuple(_dead(row) for row in rows[:limit]), _next(rows, limit))

    def get_job(self, principal: Principal, job_id: str) -> DeadJob:
        """One job of any project, in any state.

        Raises:
            Forbidden: the principal is no administrator.
            NotFound: there is none.
            Unavailable: PostgreSQL cannot be reached.
        """
        _require_admin(principal)
        with self._database.work() as work:
            return _dead(_find(work, job_id))

    def get_errors(self, principal: Principal, job_id: str) -> tuple[RunError, ...]:
        """How the last runs of a job, and of its halves, went wrong, newest first; ten of each are kept.

        Raises:
            Forbidden: the principal is no administrator.
            NotFound: there is no such job.
            Unavailable: PostgreSQL cannot be reached.
        """
        _require_admin(principal)
        with self._database.work() as work:
            job = _find(work, job_id)
            all_of = [job.id, *(half.id for half in halves_of(work, job.id))]
            rows = work.session.scalars(
                select(JobError).where(JobError.job_id.in_(all_of)).order_by(JobError.id.desc())
            )
            return tuple(_run_error(row) for row in rows)

    def replay(self, principal: Principal, job_ids: Sequence[str]) -> Handled:
        """FAILED → QUEUED for these jobs, as their owners' retry does it. Those that cannot be are told.

        Raises:
            Forbidden: the principal is no administrator.
            Unavailable: PostgreSQL cannot be reached; those before are done.
        """
        _require_admin(principal)
        return self._each("replay", job_ids, self._control.retry)

    def replay_all(self, principal: Principal, wanted: DeadFilter, limit: int = MAX_AT_ONCE) -> Handled:
        """The same for the oldest `limit` of the dead letters that `wanted` means and whose recording is still there.

        Those whose recording is gone are told as refused, the oldest `limit` of them; they do not use up the limit.

        Raises:
            Forbidden: the principal is no administrator.
            Unavailable: PostgreSQL cannot be reached; those before are done.
        """
        _require_admin(principal)
        job_ids = self._oldest(wanted, limit + 1, HAS_SOURCE)
        gone = tuple(Refusal(job_id, RecordingRemoved()) for job_id in self._oldest(wanted, limit, not_(HAS_SOURCE)))
        handled = self.replay(principal, job_ids[:limit])
        return replace(handled, refused=handled.refused + gone, has_more=len(job_ids) > limit)

    def purge(self, principal: Principal, job_ids: Sequence[str]) -> Handled:
        """Remove these dead letters: rows, recordings, and all that hangs on them. Others than FAILED are refused.

        Raises:
            Forbidden: the principal is no administrator.
            Unavailable: PostgreSQL cannot be reached; those before are done.
        """
        _require_admin(principal)
        return self._each("purge", job_ids, self._control.delete)

    def purge_all(self, principal: Principal, wanted: DeadFilter, limit: int = MAX_AT_ONCE) -> Handled:
        """The same for the oldest `limit` of the dead letters that `wanted` means.

        Raises:
            Forbidden: the principal is no administrator.
            Unavailable: PostgreSQL cannot be reached; those before are done.
        """
        _require_admin(principal)
        job_ids = self._oldest(wanted, limit + 1)
        return replace(self.purge(principal, job_ids[:limit]), has_more=len(job_ids) > limit)

    def _oldest(self, wanted: DeadFilter, limit: int, *also: ColumnElement[bool]) -> list[str]:
        query = _filtered(select(Job.id), wanted).where(*also).order_by(Job.finished_at, Job.id).limit(limit)
        with self._database.work() as work:
            return [str(job_id) for job_id in work.session.scalars(query)]

    def _each(self, order: str, job_ids: Iterable[str], action: _Action) -> Handled:
        done: list[str] = []
        refused: list[Refusal] = []
        for job_id in dict.fromkeys(job_ids):
            try:
                action(self._owner(job_id), job_id, only=JobState.FAILED)
                done.append(job_id)
            except (NotFound, Conflict) as error:
                refused.append(Refusal(job_id, error))
        log.info("dead_letters_handled", order=order, n_done=len(done), n_refused=len(refused))
        return Handled(tuple(done), tuple(refused))

    def _owner(self, job_id: str) -> Principal:
        """Who may do to a job what its project may."""
        with self._database.work() as work:
            return Principal(_find(work, job_id).project_id, name="administrator", is_admin=True)


def _require_admin(principal: Principal) -> None:
    if not principal.is_admin:
        raise Forbidden


def _find(work: Work, job_id: str) -> Job:
    try:
        job = work.session.get(Job, UUID(job_id))
    except ValueError as error:
        raise NotFound(what="job") from error
    if job is None:
        raise NotFound(what="job")
    return job


def _filtered(query: Select[Any], wanted: DeadFilter) -> Select[Any]:
    query = query.where(Job.state == JobState.FAILED, Job.parent_id.is_(None))
    if wanted.code is not None:
        query = query.where(Job.error_code == wanted.code)
    if wanted.project_id is not None:
        query = query.where(Job.project_id == wanted.project_id)
    if wanted.older_than_s is not None:
        query = query.where(Job.finished_at < func.now() - timedelta(seconds=wanted.older_than_s))
    if wanted.younger_than_s is not None:
        query = query.where(Job.finished_at >= func.now() - timedelta(seconds=wanted.younger_than_s))
    return query


def _next(rows: Sequence[Job], limit: int) -> str | None:
    if len(rows) <= limit:
        return None
    last = rows[limit - 1]
    assert last.finished_at is not None, "a job that failed has ended: the table's own check"
    return cursor_of(last.finished_at, last.id)


def _dead(job: Job) -> DeadJob:
    seen = view(job)
    return DeadJob(
        id=seen.id,
        project_id=seen.project_id,
        mode=seen.mode,
        state=seen.state,
        filename=seen.filename,
        size_bytes=seen.size_bytes,
        has_recording=job.audio_key is not None,
        duration_s=seen.duration_s,
        engine=seen.engine or seen.options.engine,
        model=seen.model or seen.options.model,
        worker=job.worker,
        attempt=job.attempt,
        failures=job.failures,
        crashes=job.crashes,
        releases=job.releases,
        created_at=seen.created_at,
        started_at=seen.started_at,
        finished_at=seen.finished_at,
        error=seen.error,
    )


def _run_error(row: JobError) -> RunError:
    return RunError(row.at, row.attempt, row.kind, row.code, row.message, row.detail, row.worker)
