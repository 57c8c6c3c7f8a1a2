"""Opening live sessions, coming back to them, and reading what was said: the API's side."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

import structlog
from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert

from app.domain.errors import NotFound, TokenRefused, Unavailable
from app.domain.job import JobOptions, Mode, Priority
from app.domain.live import Final, LiveSession, StreamSpec
from app.domain.principal import Principal
from app.domain.states import JobState
from app.domain.transcript import segment_from_dict
from app.engines.registry import Registry
from app.engines.selection import select as select_engine
from app.models import Job, JobSegment, StreamSession
from app.queues.hints import Hint, HintQueue
from app.services.access.making import make_project
from app.services.database import Database, Work
from app.services.jobs.catalogue import find
from app.services.jobs.narrator import Narrator
from app.services.jobs.submission import Defaults
from app.services.jobs.views import options_to_dict, view
from app.services.streaming.admission import Admission
from app.services.streaming.specs import spec_from_row, spec_options

log = structlog.get_logger(__name__)

COST_S = 1.0
"""All sessions count the same among those that wait: nobody knows how long they will be."""


@dataclass(frozen=True, slots=True)
class OpenStream:
    """What a client asks for."""

    options: JobOptions = field(default_factory=JobOptions)
    spec: StreamSpec = field(default_factory=StreamSpec)
    metadata: dict[str, Any] = field(default_factory=dict)


class Sessions:
    """Live sessions of a principal's project."""

    def __init__(
        self,
        database: Database,
        registry: Registry,
        queue: HintQueue,
        narrator: Narrator,
        admission: Admission,
        defaults: Defaults,
    ) -> None:
        self._database = database
        self._registry = registry
        self._queue = queue
        self._narrator = narrator
        self._admission = admission
        self._defaults = defaults

    def check(self, options: JobOptions) -> JobOptions:
        """Tell early whether an engine here can do this live; the options with the engine and model that will.

        Raises:
            InvalidFields: no engine here can.
        """
        asked = replace(options, language=options.language or self._defaults.language)
        choice = select_engine(self._registry, asked, self._defaults.engine, live=True)
        return replace(asked, engine=choice.engine.name, model=choice.model.name)

    def open(self, principal: Principal, request: OpenStream) -> LiveSession:
        """Make a session; it waits for its first connection, and is given up after some minutes without one.

        Raises:
            InvalidFields: no engine here can do what is asked.
            TooManySessions: the project has all the sessions it may have.
            NoCapacity: no worker has room for it now.
            Unavailable: PostgreSQL or Redis cannot be reached.
        """
        options = self.check(request.options)
        with self._database.work() as work:
            make_project(work, principal)
            self._admission.check_project(work, principal)
            self._admission.check_room(work)
            job = work.session.scalars(insert(Job).values(_row(principal, request, options)).returning(Job)).one()
            work.session.execute(insert(StreamSession).values(_session_row(job, request.spec)))
            told = view(job)
            work.after_commit(lambda: self._narrator.state(told.id, JobState.QUEUED, 0))
        log.info("session_opened", job_id=told.id, project_id=principal.project_id, encoding=request.spec.encoding)
        return LiveSession(told, request.spec)

    def attach(self, principal: Principal, job_id: str, resume_token: str | None = None) -> LiveSession:
        """Connect to a session: the first connection sets it going and is given its token, which later ones need.

        A session that has ended is given too (`has_ended`): its finals can still be told.

        Raises:
            NotFound: unknown, of another project, or no live session.
            TokenRefused: it had a connection before, and this is not its token.
            NoCapacity: it is the first connection, and no worker has room.
            Unavailable: PostgreSQL or Redis cannot be reached.
        """
        with self._database.work() as work:
            job = find(work, principal, job_id, lock=True)
            row = work.session.get(StreamSession, job.id)
            if row is None:
                raise NotFound(what="live session")
            token = None
            if row.token_hash is None:
                token = self._begin(work, job, row)
            else:
                _check_token(row.token_hash, resume_token)
            return LiveSession(view(job), spec_from_row(row), row.restart_byte, row.n_finals, token)

    def _begin(self, work: Work, job: Job, row: StreamSession) -> str | None:
        if JobState(job.state) is not JobState.QUEUED:
            return None
        token = secrets.token_urlsafe(24)
        row.token_hash = _digest(token)
        job.run_at = func.now()
        work.session.flush()
        work.session.refresh(job)
        hint = Hint(str(job.id), job.project_id, job.priority, COST_S)
        self._admission.take_room(work)
        work.after_commit(lambda: self._offer(hint))
        return token

    def finals(self, principal: Principal, job_id: str, after: int = 0) -> list[Final]:
        """What was said for good after the final of this number, in order.

        Raises:
            NotFound: unknown, or of another project.
            Unavailable: PostgreSQL cannot be reached.
        """
        with self._database.work() as work:
            job = find(work, principal, job_id)
            of_job = select(JobSegment).where(JobSegment.job_id == job.id, JobSegment.seq > after)
            return [_final(row) for row in work.session.scalars(of_job.order_by(JobSegment.seq))]

    def committed(self, principal: Principal, job_id: str) -> int:
        """The byte of the client's stream before which nothing is needed any more.

        Raises:
            NotFound: unknown, of another project, or no live session.
            Unavailable: PostgreSQL cannot be reached.
        """
        with self._database.work() as work:
            row = work.session.get(StreamSession, find(work, principal, job_id).id)
            if row is None:
                raise NotFound(what="live session")
            return row.restart_byte

    def _offer(self, hint: Hint) -> None:
        try:
            self._queue.offer(hint)
        except Unavailable:
            log.warning("hint_not_offered", job_id=hint.job_id)  # a worker will find the row


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _check_token(digest: str, token: str | None) -> None:
    if token is None or not hmac.compare_digest(digest, _digest(token)):
        raise TokenRefused


def _row(principal: Principal, request: OpenStream, options: JobOptions) -> dict[str, Any]:
    return {
        "id": uuid4(),
        "project_id": principal.project_id,
        "mode": Mode.STREAMING.value,
        "state": JobState.QUEUED.value,
        "priority": Priority.NORMAL.rank,
        "options": options_to_dict(options),
        "meta": request.metadata,
        "filename": "live.wav",
        "content_type": "",
        "size_bytes": 0,
        "sha256": "",
        "estimated_s": COST_S,
        "run_at": text("'infinity'"),
    }


def _session_row(job: Job, spec: StreamSpec) -> dict[str, Any]:
    return {"job_id": job.id, "encoding": spec.encoding, "rate_hz": spec.rate_hz, "options": spec_options(spec)}


def _final(row: JobSegment) -> Final:
    alternatives = tuple((str(said), float(sure)) for said, sure in row.alternatives)
    return Final(row.seq, segment_from_dict(row.segment), row.speech_final, alternatives)
