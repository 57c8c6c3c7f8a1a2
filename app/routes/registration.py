"""Makes Flask serve a route table."""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, jsonify, request
from flask_sock import Sock
from werkzeug.exceptions import BadRequest as WerkzeugBadRequest
from werkzeug.exceptions import UnsupportedMediaType

from app.controllers.delayed_thread import DelayedThread
from app.domain.errors import BadRequest
from app.routes.route import Answer, Route, Socket
from app.schemas.loading import load, load_form

PING_S = 25
MAX_MESSAGE_BYTES = 16 * 1024
"""Sockets that only tell have no use for more."""


def register(app: Flask, routes: Iterable[Route], sockets: Iterable[Socket]) -> None:
    """Give every route and every socket of the table its address."""
    for route in routes:
        app.add_url_rule(route.path, route.endpoint, _view(route), methods=[route.method])
    app.config["SOCK_SERVER_OPTIONS"] = {
        "ping_interval": PING_S,
        "max_message_size": MAX_MESSAGE_BYTES,
        "thread_class": DelayedThread,
    }
    sock = Sock(app)
    admit: dict[str | None, Callable[..., None]] = {}
    for socket in sockets:
        sock.route(socket.path, endpoint=socket.endpoint)(socket.controller)
        admit[socket.endpoint] = socket.admit
    _admit_before_upgrades(app, admit)


def _admit_before_upgrades(app: Flask, admit: dict[str | None, Callable[..., None]]) -> None:
    @app.before_request
    def check() -> None:
        # What wraps the view comes too late: the connection is upgraded before it.
        if request.endpoint in admit:
            admit[request.endpoint](**(request.view_args or {}))


def _view(route: Route) -> Callable[..., Response]:
    def view(**variables: str) -> Response:
        if route.before:
            route.before()
        return _respond(route.answer, route.controller(**variables, **_loaded(route)))

    return view


def _loaded(route: Route) -> dict[str, Any]:
    loaded = {}
    if route.query:
        loaded["query"] = load_form(route.query(), request.args)
    if route.body:
        loaded["body"] = load(route.body(), _json())
    if route.either:
        loaded["body"] = load(route.either(), _json()) if request.is_json else load_form(route.either(), request.form)
    return loaded


def _json() -> Any:
    try:
        return request.get_json()
    except (WerkzeugBadRequest, UnsupportedMediaType, RecursionError) as error:
        raise BadRequest(reason="the body must be JSON") from error


def _respond(answer: Answer, result: Any) -> Response:
    """The response; a controller may give a whole one, or a status beside its values."""
    if isinstance(result, Response):
        return result
    values, status = result if isinstance(result, tuple) else (result, answer.status)
    dumped = answer.schema().dump(values) if answer.schema else values
    response = jsonify(answer.wrap(dumped) if answer.wrap else dumped)
    response.status_code = HTTPStatus(status)
    return response
