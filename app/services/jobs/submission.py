"""Taking a job in: from here on it ends in COMPLETED, FAILED or CANCELLED, whatever crashes in between."""

from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg2
import structlog
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from app.audio.sniff import estimated_duration_s, sniff
from app.domain.errors import InvalidFields, NotFound, Unavailable, UrlRefused
from app.domain.job import JobOptions, JobView, Mode, Priority
from app.domain.principal import Principal
from app.domain.states import JobState
from app.engines.registry import Registry
from app.engines.selection import AUTO
from app.engines.selection import select as select_engine
from app.helpers.recent import Recent
from app.models import Job, Project
from app.outbound.urls import checked_url, file_name
from app.queues.breaker import Breaker
from app.queues.hints import Hint, HintQueue
from app.services.database import Database, Work
from app.services.jobs import idempotency
from app.services.jobs.narrator import state_event
from app.services.jobs.row import INSERT, inserted, new_view
from app.services.jobs.views import options_from_dict, options_to_dict, view
from app.services.media.storage import Storage, StoredAudio

log = structlog.get_logger(__name__)

CHECKED_S = 1.0
"""How long it may go unnoticed that weights have come or gone."""

WEIGHT_S = 5.0
"""How long a project's new weight may wait to count."""

NOT_FETCHED: dict[str, Any] = {
    "content_type": "",
    "size_bytes": 0,
    "sha256": "",
    "audio_key": None,
    "estimated_s": 60.0,
}
"""A recording that a worker is to fetch; until then it counts as one of a minute among those that wait."""


@dataclass(frozen=True, slots=True)
class SubmitJob:
    """What a client asks for, with its recording already safe on storage, or the URL that a worker fetches it from.

    An empty `filename` is made from the URL. `callback_url` is told when the job ends.
    """

    mode: Mode
    audio: StoredAudio | None = None
    filename: str = ""
    options: JobOptions = field(default_factory=JobOptions)
    priority: Priority = Priority.NORMAL
    metadata: dict[str, Any] = field(default_factory=dict)
    idempotency_key: str | None = None
    audio_url: str | None = None
    callback_url: str | None = None


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


class Submissions:
    """Makes jobs."""

    def __init__(
        self,
        database: Database,
        storage: Storage,
        registry: Registry,
        queues: dict[Mode, HintQueue],
        defaults: Defaults,
    ) -> None:
        self._database = database
        self._storage = storage
        self._registry = registry
        self._queues = queues
        self._defaults = defaults
        self._breaker = Breaker()
        self._checked: Recent[JobOptions, JobOptions] = Recent(CHECKED_S)
        self._weights: Recent[str, float] = Recent(WEIGHT_S)

    def check(self, options: JobOptions) -> JobOptions:
        """Tell early whether an engine here can do this; the options with the engine and model that will.

        Raises:
            InvalidFields: no engine here can.
        """
        asked = replace(options, language=options.language or self._defaults.language)
        known = self._checked.get(asked)
        if known is not None:
            return known
        choice = select_engine(self._registry, asked, self._defaults.engine)
        settled = replace(asked, engine=choice.engine.name, model=choice.model.name)
        self._checked.keep(asked, settled)
        return settled

    def submit(self, principal: Principal, request: SubmitJob) -> Submission:
        """Make the job; when this returns, its row is committed. The recording is dropped if no job is made of it.

        Raises:
            NotAudio: the recording is of no kind that we read.
            InvalidFields: no engine here can do what is asked, or a URL is none that could be gone to.
            KeyMismatch: the idempotency key was used for another request.
            Unavailable: PostgreSQL cannot be reached.
        """
        kept = False
        try:
            recording = _recording(request)
            _check_urls(request)
            settled = {**recording, "options": options_to_dict(self.check(request.options))}
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

    def _submit_once(self, principal: Principal, request: SubmitJob, settled: dict[str, Any]) -> Submission:
        try:
            return self._insert(principal, request, settled)
        except (IntegrityError, psycopg2.IntegrityError):
            # Another request with this key has committed since we looked, or the project that we knew is gone.
            self._weights.clear()
            return self._insert(principal, request, settled)

    def _insert(self, principal: Principal, request: SubmitJob, settled: dict[str, Any]) -> Submission:
        weight = self._weight(principal)
        row = _row(principal, request, settled)
        if request.idempotency_key is not None:
            return self._insert_keyed(principal, request, row, weight)
        ((created_at,),) = self._database.rows(INSERT, inserted(row))
        return self._made(row, created_at, weight)

    def _insert_keyed(self, principal: Principal, request: SubmitJob, row: dict[str, Any], weight: float) -> Submission:
        key, print_ = request.idempotency_key or "", idempotency.fingerprint(_essence(request))
        with self._database.work() as work:
            earlier = idempotency.find_job(work, principal, key, print_)
            if earlier is not None:
                return Submission(self._earlier(work, earlier), replayed=True)
            ((created_at,),) = work.rows(INSERT, inserted(row))
            idempotency.remember(work, principal, key, print_, row["id"])
        return self._made(row, created_at, weight)

    def _weight(self, principal: Principal) -> float:
        known = self._weights.get(principal.project_id)
        if known is not None:
            return known
        with self._database.work() as work:
            weight = _project_weight(work, principal)
        self._weights.keep(principal.project_id, weight)
        return weight

    def _earlier(self, work: Work, job_id: UUID) -> JobView:
        job = work.session.get(Job, job_id)
        if job is None:
            raise NotFound(what="job")
        return view(job)

    def _made(self, row: dict[str, Any], created_at: datetime, weight: float) -> Submission:
        """The row is committed: have it known. A worker waits for the hint, so that comes first."""
        hint = Hint(str(row["id"]), row["project_id"], row["priority"], row["estimated_s"] / weight)
        event = state_event(hint.job_id, JobState.QUEUED, 0)
        try:
            self._breaker.call(lambda: self._queues[Mode(row["mode"])].offer_and_tell(hint, event))
        except Unavailable:
            log.warning("hint_not_offered", job_id=hint.job_id)  # the row is the outbox; a worker will find it
        log.info("job_accepted", job_id=hint.job_id, project_id=hint.project_id)
        return Submission(new_view(row, options_from_dict(row["options"]), created_at))


def _row(principal: Principal, request: SubmitJob, settled: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": uuid4(),
        "project_id": principal.project_id,
        "mode": request.mode.value,
        "state": JobState.QUEUED.value,
        "priority": request.priority.rank,
        "metadata": request.metadata,
        "filename": request.filename or file_name(request.audio_url or ""),
        "callback_url": request.callback_url,
        "audio_url": request.audio_url,
        **settled,
    }


def _recording(request: SubmitJob) -> dict[str, Any]:
    """What is known of the recording."""
    audio = request.audio
    if (audio is None) == (request.audio_url is None):
        raise InvalidFields({"audio_url": ["either a recording or the URL of one is needed, not both"]})
    if audio is None:
        return NOT_FETCHED
    container = sniff(audio.head)
    return {
        "content_type": container.content_type,
        "size_bytes": audio.size_bytes,
        "sha256": audio.sha256,
        "audio_key": audio.key,
        "estimated_s": estimated_duration_s(container, audio.size_bytes, audio.head),
    }


def _check_urls(request: SubmitJob) -> None:
    errors: dict[str, list[str]] = {}
    for field_name in ("audio_url", "callback_url"):
        url = getattr(request, field_name)
        try:
            if url is not None:
                checked_url(url)
        except UrlRefused as refusal:
            errors[field_name] = [str(refusal.params["reason"])]
    if errors:
        raise InvalidFields(errors)


def _project_weight(work: Work, principal: Principal) -> float:
    weight = work.session.scalar(select(Project.weight).where(Project.id == principal.project_id))
    if weight is not None:
        return weight
    row = {"id": principal.project_id, "name": principal.project_id}
    work.session.execute(insert(Project).values(row).on_conflict_do_nothing())
    return 1.0


def _essence(request: SubmitJob) -> dict[str, Any]:
    return {
        "mode": request.mode,
        "sha256": request.audio.sha256 if request.audio else None,
        "audio_url": request.audio_url,
        "callback_url": request.callback_url,
        "options": asdict(request.options),
        "priority": request.priority,
        "metadata": request.metadata,
    }
