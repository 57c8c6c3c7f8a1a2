"""Opening live sessions, coming back to them, and reading what was said: the API's side."""

import hashlib
import hmac
import secrets
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

import structlog
from sqlalchemy import func

from app.domain.errors import NotFound, TokenRefused, Unavailable
from app.domain.job import JobOptions
from app.domain.live import Final, LiveSession, StreamSpec
from app.domain.principal import Principal
from app.domain.states import JobState
from app.engines.registry import Registry
from app.engines.selection import select as select_engine
from app.models import Job, StreamSession
from app.queues.events import Event
from app.queues.hints import Hint, HintQueue
from app.services.database import Database, Work
from app.services.jobs.catalogue import find
from app.services.jobs.narrator import Narrator, state_event
from app.services.jobs.row import new_view
from app.services.jobs.submission import Defaults
from app.services.jobs.views import view
from app.services.streaming.admission import Admission
from app.services.streaming.opening import COST_S, facts, session_row
from app.services.streaming.specs import spec_from_row
from app.services.streaming.standing import Standing, standing

log = structlog.get_logger(__name__)


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
        session = self._made(principal, request, None)
        self._narrator.tell(_made_event(session))
        return session

    def begin(self, principal: Principal, request: OpenStream) -> LiveSession:
        """Make a session and set it going: what `open` and the first `attach` do, for who is connected already.

        Raises:
            InvalidFields, TooManySessions, NoCapacity, Unavailable: as `open`.
        """
        session = self._made(principal, request, secrets.token_urlsafe(24))
        job = session.job
        try:
            self._queue.offer_and_tell(Hint(job.id, job.project_id, job.priority.rank, COST_S), _made_event(session))
        except Unavailable:
            log.warning("hint_not_offered", job_id=job.id)  # a worker will find the row
        return session

    def _made(self, principal: Principal, request: OpenStream, token: str | None) -> LiveSession:
        options = self.check(request.options)
        row = session_row(principal, options, request.metadata)
        made_at = self._admission.insert(self._database, facts(row, request.spec, token and _digest(token)))
        job = new_view(row, options, made_at)
        log.info("session_opened", job_id=job.id, project_id=principal.project_id, encoding=request.spec.encoding)
        return LiveSession(job, request.spec, resume_token=token)

    def attach(self, principal: Principal, job_id: str, resume_token: str | None = None) -> LiveSession:
        """Connect to a session: the first connection sets it going and is given its token, which later ones need.

        A session that has ended is given too (`has_ended`): its finals can still be told.

        Raises:
            NotFound: unknown, of another project, or no live session.
            TokenRefused: it had a connection before, and this is not its token.
            NoCapacity: it is the first connection, and no worker has room.
            Unavailable: PostgreSQL or Redis cannot be reached.
        """
        turn = self._admission.turn() if resume_token is None else nullcontext()
        with turn, self._database.work() as work:
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
        return self.standing(principal, job_id, after).finals

    def standing(self, principal: Principal, job_id: str, after: int = 0) -> Standing:
        """How a session stands, and what was said for good after the final of this number, in order.

        Raises:
            NotFound: unknown, or of another project.
            Unavailable: PostgreSQL cannot be reached.
        """
        return standing(self._database, principal, job_id, after)

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


def _made_event(session: LiveSession) -> Event:
    return state_event(session.job.id, JobState.QUEUED, 0)
