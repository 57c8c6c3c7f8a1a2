"""The streaming mode over HTTP: make a session, read what was said, while it is being said too."""

from collections.abc import Callable
from typing import Any

from app.controllers import presenting
from app.controllers.context import principal, services
from app.controllers.links import stream_url
from app.domain.errors import InvalidFields, NotFound
from app.domain.job import Mode
from app.domain.live import LiveSession
from app.domain.principal import Principal
from app.domain.states import JobState
from app.observability import metrics
from app.schemas.loading import renamed, wire_names
from app.schemas.streaming import OpenStreamForm, StreamForm
from app.services.streaming.sessions import OpenStream

NAMES = wire_names(OpenStreamForm)


def create_stream(body: StreamForm) -> dict[str, Any]:
    """Make a session; it waits for its socket."""
    session = opened(body)
    return {**presenting.accepted(session.job, None), "ws_url": stream_url(session.job.id)}


def get_stream_result(query: dict[str, Any]) -> dict[str, Any]:
    """What was said, or what has been said so far."""
    job = services().catalogue.get_job(principal(), query["job_uuid"])
    if job.mode is not Mode.STREAMING:
        raise NotFound(what="live session")
    transcript = services().catalogue.get_transcript(principal(), job.id)
    told = presenting.resulted(job, transcript)
    if job.state is not JobState.COMPLETED:
        del told["transcription"]
    return told


def opened(form: StreamForm) -> LiveSession:
    """A new session.

    Raises:
        InvalidFields, TooManySessions, NoCapacity, Unavailable: see `Sessions.open`.
    """
    return _made(services().sessions.open, form)


def begun(form: StreamForm) -> LiveSession:
    """A new session for the socket that asks for it, set going.

    Raises:
        InvalidFields, TooManySessions, NoCapacity, Unavailable: see `Sessions.begin`.
    """
    return _made(services().sessions.begin, form)


def _made(make: Callable[[Principal, OpenStream], LiveSession], form: StreamForm) -> LiveSession:
    try:
        session = make(principal(), OpenStream(form.options, form.spec, form.metadata))
    except InvalidFields as error:
        raise InvalidFields(renamed(error.errors, NAMES)) from error
    metrics.count_job(session.job.mode)
    return session
