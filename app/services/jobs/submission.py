"""Taking a job in: from here on it ends in COMPLETED, FAILED or CANCELLED, whatever crashes in between."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg2
import structlog
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.domain.errors import NotFound, Unavailable
from app.domain.job import JobOptions, JobView, Mode
from app.domain.principal import Principal
from app.domain.states import JobState
from app.engines.diarizers import DiarizerRegistry
from app.engines.registry import Registry
from app.engines.selection import AUTO
from app.engines.selection import select as select_engine
from app.helpers.recent import Recent
from app.models import Job, Project
from app.outbound.urls import file_name
from app.queues.hints import Hint, HintQueue
from app.services.access.making import make_project
from app.services.database import Database, Work
from app.services.diarization.composing import Composer, Plan
from app.services.jobs import idempotency
from app.services.jobs.bell import Bell
from app.services.jobs.narrator import state_event
from app.services.jobs.request import SubmitJob, check_urls, essence, recording_of
from app.services.jobs.row import INSERT, insert_row, inserted, new_row, new_view
from app.services.jobs.views import options_from_dict, options_to_dict, view
from app.services.media.storage import Storage

log = structlog.get_logger(__name__)

CHECKED_S = 10.0
"""How long it may go unnoticed that weights have come or gone."""

WEIGHT_S = 30.0
"""How long a project's new weight may wait to count."""


@dataclass(frozen=True, slots=True)
class Submission:
    """The answer: the job, and whether it is an earlier one that the same idempotency key made."""

    job: JobView
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a job gets that names no engine or no language (None: it is detected, where the engine can)."""

    engine: str = AUTO
    language: str | None = None
    diarizer: str = AUTO


class Submissions:
    """Makes jobs."""

    def __init__(
        self,
        database: Database,
        storage: Storage,
        registry: Registry,
        queues: dict[Mode, HintQueue],
        defaults: Defaults,
        diarizers: DiarizerRegistry | None = None,
    ) -> None:
        self._database = database
        self._storage = storage
        self._registry = registry
        self._queues = queues
        self._defaults = defaults
        self._composer = Composer(diarizers or DiarizerRegistry([]), self._check_words, Bell(queues), defaults.diarizer)
        self._checked: Recent[tuple[Mode, JobOptions], JobOptions] = Recent(CHECKED_S)
        self._weights: Recent[str, float] = Recent(WEIGHT_S)

    def check(self, options: JobOptions, mode: Mode = Mode.BATCH) -> JobOptions:
        """Tell early whether engines here can do this; the options with the engines and models that will.

        Raises:
            InvalidFields: no engine here can, or what is asked does not go together.
        """
        known = self._checked.get((mode, options))
        if known is not None:
            return known
        settled = self._composer.check(options) if mode is Mode.DIARIZATION else self._check_words(options)
        self._checked.keep((mode, options), settled)
        return settled

    def _check_words(self, options: JobOptions) -> JobOptions:
        asked = replace(options, language=options.language or self._defaults.language)
        choice = select_engine(self._registry, asked, self._defaults.engine)
        return replace(asked, engine=choice.engine.name, model=choice.model.name)

    def submit(self, principal: Principal, request: SubmitJob) -> Submission:
        """Make the job; when this returns, its row is committed. The recording is dropped if no job is made of it.

        Raises:
            NotAudio: the recording is of no kind that we read.
            NotFound, Conflict, RecordingRemoved: `from_job` is none that could be gone on from.
            InvalidFields: no engine here can do what is asked, or a URL is none that could be gone to.
            KeyMismatch: the idempotency key was used for another request.
            Unavailable: PostgreSQL cannot be reached.
        """
        kept = False
        try:
            check_urls(request)
            settled = self._settled(request)
            submission = self._submit_once(principal, request, settled)
            kept = not submission.replayed
            return submission
        except Unavailable:
            # The commit may have happened though its answer was lost: the recording must stay.
            kept = True
            raise
        finally:
            if not kept and request.audio is not None:
                self._storage.delete(request.audio.key)

    def _settled(self, request: SubmitJob) -> dict[str, Any]:
        """What is known of the job before its project is looked at."""
        if request.from_job is not None:
            return {}
        options = self.check(request.options, request.mode)
        return {**recording_of(request), "options": options_to_dict(options)}

    def _submit_once(self, principal: Principal, request: SubmitJob, settled: dict[str, Any]) -> Submission:
        try:
            return self._insert(principal, request, settled)
        except (IntegrityError, psycopg2.IntegrityError):
            # Another request with this key has committed since we looked, or the project that we knew is gone.
            self._weights.clear()
            return self._insert(principal, request, settled)

    def _insert(self, principal: Principal, request: SubmitJob, settled: dict[str, Any]) -> Submission:
        weight = self._weight(principal)
        if request.mode is Mode.DIARIZATION:
            return self._insert_with_halves(principal, request, settled, weight)
        row = _row(principal, request, settled)
        if request.idempotency_key is not None:
            return self._insert_keyed(principal, request, row, weight)
        ((created_at, _),) = self._database.rows(INSERT, inserted(row))
        return self._made(row, created_at, weight)

    def _insert_keyed(self, principal: Principal, request: SubmitJob, row: dict[str, Any], weight: float) -> Submission:
        with self._database.work() as work:
            earlier = self._earlier(work, principal, request)
            if earlier is None:
                ((created_at, _),) = work.rows(INSERT, inserted(row))
                _remember(work, principal, request, row["id"])
        if earlier is None:
            return self._made(row, created_at, weight)
        self._database.wait_for_disk()  # whoever made it may still wait
        return earlier

    def _insert_with_halves(
        self, principal: Principal, request: SubmitJob, settled: dict[str, Any], weight: float
    ) -> Submission:
        with self._database.work() as work:
            earlier = self._earlier(work, principal, request)
            if earlier is not None:
                return earlier
            plan = self._plan(work, principal, request)
            row = _row(principal, request, {**settled, **plan.columns})
            job = insert_row(work, row)
            self._composer.write_halves(work, job, plan)
            _remember(work, principal, request, job.id)
            submission = Submission(view(job))
        self._have_known(row, weight, is_due=plan.is_due)
        return submission

    def _plan(self, work: Work, principal: Principal, request: SubmitJob) -> Plan:
        if request.from_job is None:
            return Plan({})
        return self._composer.plan_from(work, principal, request.from_job, request.options)

    def _weight(self, principal: Principal) -> float:
        known = self._weights.get(principal.project_id)
        if known is not None:
            return known
        with self._database.work() as work:
            weight = _project_weight(work, principal)
        self._weights.keep(principal.project_id, weight)
        return weight

    def _earlier(self, work: Work, principal: Principal, request: SubmitJob) -> Submission | None:
        """The answer that the same idempotency key got before."""
        if request.idempotency_key is None:
            return None
        print_ = idempotency.fingerprint(essence(request))
        job_id = idempotency.find_job(work, principal, request.idempotency_key, print_)
        if job_id is None:
            return None
        job = work.session.get(Job, job_id)
        if job is None:
            raise NotFound(what="job")
        return Submission(view(job), replayed=True)

    def _made(self, row: dict[str, Any], created_at: datetime, weight: float) -> Submission:
        """A worker may begin while the disk is waited for: should PostgreSQL crash now, nobody was promised the job."""
        self._have_known(row, weight)
        self._database.wait_for_disk()
        return Submission(new_view(row, options_from_dict(row["options"]), created_at))

    def _have_known(self, row: dict[str, Any], weight: float, *, is_due: bool = True) -> None:
        """The row is committed. A worker waits for the hint, so that comes first."""
        hint = Hint(str(row["id"]), row["project_id"], row["priority"], row["estimated_s"] / weight)
        event = state_event(hint.job_id, JobState.QUEUED if is_due else JobState.PROCESSING, 0)
        queue = self._queues[Mode(row["mode"])]
        try:
            queue.offer_and_tell(hint, event) if is_due else queue.tell(event)
        except Unavailable:
            log.warning("hint_not_offered", job_id=hint.job_id)  # the row is the outbox; a worker will find it
        log.info("job_accepted", job_id=hint.job_id, project_id=hint.project_id)


def _remember(work: Work, principal: Principal, request: SubmitJob, job_id: UUID) -> None:
    if request.idempotency_key is not None:
        print_ = idempotency.fingerprint(essence(request))
        idempotency.remember(work, principal, request.idempotency_key, print_, job_id)


def _row(principal: Principal, request: SubmitJob, settled: dict[str, Any]) -> dict[str, Any]:
    told = {
        "metadata": request.metadata,
        "filename": request.filename or file_name(request.audio_url or ""),
        "callback_url": request.callback_url,
        "audio_url": request.audio_url,
    }
    return new_row(principal.project_id, request.mode, request.priority, **{**told, **settled})


def _project_weight(work: Work, principal: Principal) -> float:
    weight = work.session.scalar(select(Project.weight).where(Project.id == principal.project_id))
    if weight is not None:
        return weight
    make_project(work, principal)
    return 1.0
