"""One line and one count for each request."""

import time

import structlog
from flask import Flask, Response, g, request

from app.observability import metrics

log = structlog.get_logger(__name__)

QUIET = frozenset({"/health/live", "/metrics"})
UPGRADED = 101


def install(app: Flask) -> None:
    """Log and count each request at its end; a stream ends when the last of it is sent."""

    @app.before_request
    def begin() -> None:
        g.began_s = time.monotonic()

    @app.after_request
    def end(response: Response) -> Response:
        rule = request.url_rule
        is_socket = rule is not None and bool(rule.websocket)
        status = UPGRADED if is_socket and response.status_code == 200 else response.status_code
        route = rule.rule if rule else "none"
        note = _Note(request.method, request.path, route, status, g.began_s, g.request_id)
        if response.is_streamed and not is_socket:
            response.call_on_close(note.tell)
        else:
            note.tell()
        return response


class _Note:
    """What is told of a request; it outlives the request's context. The query stays out: it may hold secrets."""

    def __init__(self, method: str, path: str, route: str, status: int, began_s: float, request_id: str) -> None:
        self._method, self._path, self._route, self._status = method, path, route, status
        self._began_s, self._request_id = began_s, request_id

    def tell(self) -> None:
        spent_s = time.monotonic() - self._began_s
        metrics.count_request(self._method, self._route, self._status, spent_s)
        tell = log.debug if self._path in QUIET else log.info
        tell(
            "request",
            method=self._method,
            path=self._path,
            status=self._status,
            ms=round(spent_s * 1000, 1),
            request_id=self._request_id,
        )
