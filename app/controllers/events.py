"""Server-sent events (the HTML standard, section 9.2)."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import structlog
from flask import Response, request

from app.controllers.context import principal, services
from app.controllers.event_shape import to_wire
from app.domain.errors import ParloirError
from app.queues.events import Event

log = structlog.get_logger(__name__)

RECONNECT_MS = 2000
HEADERS = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}


def stream_events(job_id: str, query: dict[str, Any]) -> Response:
    """What happens to a job, from its current state until it ends."""
    after = _after(query)
    if after is not None and _is_over(job_id, after):
        # The one answer after which a browser does not come back.
        return Response(status=HTTPStatus.NO_CONTENT)
    happening = services().watch.follow(principal(), job_id, after)
    return Response(_lines(job_id, happening), content_type="text/event-stream; charset=utf-8", headers=HEADERS)


def _after(query: dict[str, Any]) -> int | None:
    """The last event that the client has had; an id that is none of ours is as good as none."""
    last_id = request.headers.get("Last-Event-ID", "")
    after: int | None = int(last_id) if last_id.isdecimal() and len(last_id) < 19 else query["after"]
    return after


def _is_over(job_id: str, after: int) -> bool:
    job = services().catalogue.get_job(principal(), job_id)
    return job.state.is_final and after >= job.seq


def _lines(job_id: str, happening: Iterator[Event | None]) -> Iterator[str]:
    yield f"retry: {RECONNECT_MS}\n\n"
    try:
        for event in happening:
            # The comment finds out whether the reader is still there.
            yield f"id: {event.seq}\ndata: {to_wire(event)}\n\n" if event else ": nothing new\n\n"
    # The answer has begun; the client comes back, and is told then what is wrong.
    except ParloirError as error:
        log.info("events_broken_off", job_id=job_id, code=error.code)
    except Exception as error:
        log.error("events_failed", job_id=job_id, exc_info=error)
