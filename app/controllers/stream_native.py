"""The native protocol of live sessions: `WS /api/streamingTranscription/stream`."""

import json
from functools import partial
from typing import Any

from flask import request
from simple_websocket import Server

from app.controllers import stream_messages
from app.controllers.context import locale, principal, services
from app.controllers.live_socket import LiveSocket, Stuck
from app.controllers.stream_messages import NORMAL, Native, close_code
from app.controllers.stream_talk import admit_stream, talk, unforeseen
from app.controllers.streaming import begun
from app.domain.errors import BadRequest, HalfSample, NotFound
from app.domain.job import Mode
from app.domain.live import LiveSession
from app.schemas.loading import load, load_form
from app.schemas.streaming import OpenStreamForm, ResumeQuery, SocketMessage
from app.services.streaming.gateway import Connection
from app.services.streaming.told import Trouble

JOB = "job_uuid"
OPENING, RESUMING, SAYING = OpenStreamForm(), ResumeQuery(), SocketMessage()
"""Made once: that takes longer than to load with them."""


def admit_native() -> None:
    """Refuse before the connection is upgraded what could not be told well afterwards.

    Raises:
        BadRequest: it is no WebSocket handshake.
        NotFound: the session is unknown, or of another project.
    """
    admit_stream()
    if JOB in request.args and services().catalogue.get_job(principal(), request.args[JOB]).mode is not Mode.STREAMING:
        raise NotFound(what="live session")


def stream(server: Server) -> None:
    """Speak with a client until its session or its connection ends."""
    native = Native(locale())
    live = LiveSocket(server, native.explain)
    try:
        session, token, after = _session()
        if session.has_ended:
            _tell_past(live, native, session, token, after)
            return
        with services().gateway.connected(principal(), session, after) as connection:
            live.send(stream_messages.ready(session, connection.received, token))
            talk(live, connection, native, partial(_take, connection))
    except (Stuck, OSError):
        live.cut()
    except Exception as error:  # noqa: BLE001 - see `unforeseen`
        problem = unforeseen(error)
        live.finish(close_code(problem), native.error(problem))


def _session() -> tuple[LiveSession, str | None, int]:
    """The session, its token, and the last final that the client knows."""
    if JOB not in request.args:
        session = begun(load_form(OPENING, request.args))
        return session, session.resume_token, 0
    query = load_form(RESUMING, request.args)
    session = services().sessions.attach(principal(), query[JOB], query["resume_token"])
    return session, session.resume_token or query["resume_token"], query["after"]


def _tell_past(live: LiveSocket, native: Native, session: LiveSession, token: str | None, after: int) -> None:
    """Nothing more is taken; what the client may have missed is told."""
    live.send(stream_messages.ready(session, session.committed, token))
    code = NORMAL
    for told in services().gateway.past(principal(), session, after):
        live.send(native.tell(told) or "")
        code = close_code(told.error) if isinstance(told, Trouble) else code
    live.finish(code)


def _take(connection: Connection, message: bytes | str) -> None:
    """Do what the client says.

    Raises:
        BadRequest, InvalidFields: it cannot be understood.
    """
    if isinstance(message, bytes):
        connection.upstream.send(message)
        return
    match load(SAYING, _parsed(message))["type"]:
        case "keepalive":
            connection.upstream.alive()
        case "finalize":
            connection.upstream.finalize()
        case "stop" if n_odd := connection.upstream.stop():
            connection.trouble(HalfSample(n_bytes=n_odd), is_fatal=False)


def _parsed(text: str) -> dict[str, Any]:
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadRequest(reason="a text message must be JSON; sound goes in binary messages") from error
    if not isinstance(parsed, dict):
        raise BadRequest(reason="a text message must be a JSON object")
    return parsed
