"""From what went wrong to what the client is told: one table of statuses, one place that renders."""

from http import HTTPStatus
from typing import Any

import structlog
from flask import Flask, Response, g, jsonify, request
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge
from werkzeug.routing import RequestRedirect

from app.domain import errors
from app.i18n import catalogue
from app.middlewares.families import Problem

log = structlog.get_logger(__name__)

STATUSES: dict[type[errors.ParloirError], HTTPStatus] = {
    errors.BadRequest: HTTPStatus.BAD_REQUEST,
    errors.InvalidFields: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.Unauthenticated: HTTPStatus.UNAUTHORIZED,
    errors.Forbidden: HTTPStatus.FORBIDDEN,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.KeyMismatch: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.NotAudio: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.TooManyRequests: HTTPStatus.TOO_MANY_REQUESTS,
    errors.Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.MediaError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.UrlRefused: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.DownloadFailed: HTTPStatus.BAD_GATEWAY,
    errors.EngineUnavailable: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.ParloirError: HTTPStatus.INTERNAL_SERVER_ERROR,
}

HTTP_CODES: dict[int, str] = {
    HTTPStatus.BAD_REQUEST: errors.BadRequest.code,
    HTTPStatus.NOT_FOUND: errors.NotFound.code,
    HTTPStatus.METHOD_NOT_ALLOWED: "method_not_allowed",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: errors.TooLarge.code,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "unsupported_media_type",
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE: "range_not_satisfiable",
}
"""Codes of what Flask itself finds wrong; the rest is `http_error`."""

KEPT_HEADERS = ("Allow", "Content-Range")
RETRY_AFTER_S = 2
CHALLENGE = 'ApiKey realm="parloir", header="X-API-Key"'
"""What RFC 9110 asks to be said with a 401: how to identify oneself."""


def install(app: Flask) -> None:
    """Answer every error in the envelope of its family."""
    app.register_error_handler(errors.ParloirError, _answer)
    app.register_error_handler(HTTPException, _answer_http)
    app.register_error_handler(PoolTimeout, _answer_busy)
    app.register_error_handler(Exception, _answer_unforeseen)


def status_of(error: errors.ParloirError | type[errors.ParloirError]) -> HTTPStatus:
    """The status of an error: its own, or that of the nearest ancestor that has one."""
    kind = error if isinstance(error, type) else type(error)
    return next(STATUSES[ancestor] for ancestor in kind.__mro__ if ancestor in STATUSES)


def _answer(error: errors.ParloirError) -> Response:
    status = status_of(error)
    if status is HTTPStatus.INTERNAL_SERVER_ERROR:
        return _answer_unforeseen(error)
    fields = catalogue.field_messages(error.errors, g.locale) if isinstance(error, errors.InvalidFields) else None
    response = _render(Problem(status, error.code, catalogue.error_message(error, g.locale), fields))
    if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        response.headers["Retry-After"] = str(error.params.get("retry_after_s", RETRY_AFTER_S))
    if status is HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = CHALLENGE
    return response


def _answer_http(error: HTTPException) -> Response | HTTPException:
    if isinstance(error, RequestRedirect) or error.code is None:
        return error
    status = HTTPStatus(error.code)
    name = f"http.{error.code}" if error.code in HTTP_CODES else "http.other"
    message = catalogue.text(name, g.locale, **_http_params(error))
    response = _render(Problem(status, HTTP_CODES.get(error.code, "http_error"), message))
    given = dict(error.get_headers(request.environ))
    response.headers.extend({header: given[header] for header in KEPT_HEADERS if header in given})
    return response


def _http_params(error: HTTPException) -> dict[str, Any]:
    if isinstance(error, MethodNotAllowed):
        return {"method": request.method, "allowed": ", ".join(sorted(error.valid_methods or ()))}
    if isinstance(error, RequestEntityTooLarge):
        return {"limit": request.max_content_length}
    return {"expected": "application/json"}


def _answer_busy(error: PoolTimeout) -> Response:
    log.warning("database_pool_exhausted", error=str(error))
    return _answer(errors.Unavailable(service="database"))


def _answer_unforeseen(error: Exception) -> Response:
    log.error("unforeseen_error", method=request.method, path=request.path, exc_info=error)
    message = catalogue.text("http.500", g.locale, request_id=g.request_id)
    return _render(Problem(HTTPStatus.INTERNAL_SERVER_ERROR, errors.ParloirError.code, message))


def _render(problem: Problem) -> Response:
    response = jsonify(g.family.render(problem))
    response.status_code = problem.status
    return response
