"""How often one may ask: so many requests a minute for each client, and few tries with a wrong key.

Whoever sends the right key of the administrators is not limited, so that nobody can lock them out by guessing; a key of
16 characters or more is not found by guessing. Clients without an account are told apart by the address that their
connection comes from: behind a proxy they are all one.
"""

import math
from collections.abc import Collection
from http import HTTPStatus

from flask import Flask, Response, g, request

from app.domain.errors import TooManyRequests
from app.domain.principal import ANONYMOUS
from app.middlewares.identity import KEY_HEADER
from app.queues.buckets import Buckets, Limit

WRONG_KEYS = Limit("wrong_keys", 10)


def install(app: Flask, buckets: Buckets, per_min: int, free: Collection[str]) -> None:
    """Limit all endpoints but the `free` ones; with 0 `per_min` only tries with wrong keys."""

    @app.before_request
    def limit() -> None:
        if g.principal.is_admin:
            return
        if g.could_be_admin and KEY_HEADER in request.headers:
            _refuse_for(buckets.look(WRONG_KEYS, _client()))
        if per_min and request.endpoint not in free:
            _refuse_for(buckets.spend(Limit("requests", per_min), _client()))

    @app.after_request
    def count_wrong_keys(response: Response) -> Response:
        if response.status_code == HTTPStatus.UNAUTHORIZED and KEY_HEADER in request.headers:
            buckets.spend(WRONG_KEYS, _client())
        return response


def _refuse_for(wait_s: float) -> None:
    if wait_s > 0:
        raise TooManyRequests(retry_after_s=math.ceil(wait_s))


def _client() -> str:
    """Whoever has no name of their own is known by the address."""
    is_known = g.principal != ANONYMOUS
    return f"{g.principal.project_id}:{g.principal.name}" if is_known else f"address:{request.remote_addr}"
