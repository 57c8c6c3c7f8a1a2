"""The same events over a WebSocket."""

import json
import threading
from typing import Any

import structlog
from flask import request
from simple_websocket import ConnectionClosed, Server
from wsproto.frame_protocol import CloseReason

from app.controllers.context import locale, principal, services
from app.controllers.event_shape import to_wire
from app.domain.errors import BadRequest, ParloirError
from app.i18n import catalogue
from app.queues.events import Event

log = structlog.get_logger(__name__)

SEND_WITHIN_S = 30.0
MAX_UNREAD = 100
"""Messages that a client may send at once; there is nothing for it to say."""


def admit(job_id: str) -> None:
    """Refuse before the connection is upgraded what could not be told well afterwards.

    Raises:
        BadRequest: it is no WebSocket handshake.
        NotFound: unknown, or of another project.
    """
    require_handshake()
    services().catalogue.get_job(principal(), job_id)


def require_handshake() -> None:
    """Let pass what can be upgraded.

    Raises:
        BadRequest: it is no WebSocket handshake.
    """
    if not request.headers.get("Sec-WebSocket-Key") or request.headers.get("Sec-WebSocket-Version") != "13":
        raise BadRequest(reason="the WebSocket handshake is not one of version 13")


def watch_job(socket: Server, job_id: str) -> None:
    """Tell what happens to a job, from its current state until it ends."""
    socket.sock = _WholeSends(socket.sock)
    socket.thread.begin()
    try:
        for event in services().watch.follow(principal(), job_id):
            _tell(socket, event)
    except ConnectionClosed:
        return
    except OSError:
        log.info("socket_lost", job_id=job_id)
    except Exception as error:  # noqa: BLE001 - anything that got out would be written into the open socket as HTTP
        _tell_error(socket, error)


def _tell(socket: Server, event: Event | None) -> None:
    _ignore_incoming(socket)
    if event is not None:
        socket.send(to_wire(event))
    elif not socket.connected:
        raise ConnectionClosed


def _ignore_incoming(socket: Server) -> None:
    """Throw away what the client says, which would pile up in memory."""
    for _ in range(MAX_UNREAD):
        if socket.receive(timeout=0) is None:
            return
    socket.close(CloseReason.POLICY_VIOLATION, "nothing is to be said here")


def _tell_error(socket: Server, error: Exception) -> None:
    if not isinstance(error, ParloirError):
        log.error("socket_failed", exc_info=error)
        error = ParloirError()
    message = catalogue.error_message(error, locale())
    try:
        socket.send(json.dumps({"type": "error", "code": error.code, "message": message}))
        socket.close(CloseReason.INTERNAL_ERROR, error.code)
    except (ConnectionClosed, OSError):
        log.info("socket_lost")


class _WholeSends:
    """A socket whose `send` sends all, one message at a time, and gives up on a client that does not read.

    The WebSocket library trusts `send` to take everything, and pings from another thread than the one that speaks.
    """

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._lock = threading.Lock()
        socket.settimeout(SEND_WITHIN_S)

    def send(self, data: bytes) -> int:
        with self._lock:
            self._socket.sendall(data)
        return len(data)

    def recv(self, n_bytes: int) -> bytes:
        received: bytes = self._socket.recv(n_bytes)
        return received

    def fileno(self) -> int:
        number: int = self._socket.fileno()
        return number

    def close(self) -> None:
        self._socket.close()
