"""How the service connects to Redis."""

import time
from collections.abc import Callable
from typing import Any, Self, TypeVar

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

T = TypeVar("T")
REST_S = 1.0


class Hasty(Retry):
    """A broken connection is made anew once; a silence is not waited for twice.

    One for all connections of a client: after one of them has found Redis silent or gone, the next calls are refused
    at once for `REST_S` seconds, so that a request that makes several of them waits for one at most.
    """

    def __init__(self) -> None:
        super().__init__(NoBackoff(), 1, (redis.ConnectionError,))
        self._refused_until = 0.0

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Connections copy what they are given; here they share it."""
        return self

    def call_with_retry(self, do: Callable[[], T], *args: Any, **kwargs: Any) -> T:
        """Do it, unless Redis did not answer a moment ago."""
        if time.monotonic() < self._refused_until:
            raise redis.ConnectionError("Redis did not answer a moment ago")
        try:
            return super().call_with_retry(do, *args, **kwargs)
        except (redis.ConnectionError, redis.TimeoutError):
            self._refused_until = time.monotonic() + REST_S
            raise


def connect(url: str, *, timeout_s: float = 0.5, read_timeout_s: float | None = None) -> "redis.Redis":
    """A client whose calls give up soon: a hint is never worth waiting for.

    `read_timeout_s` is for connections that block on purpose (`BZPOPMIN`, Pub/Sub).
    """
    return redis.Redis.from_url(
        url,
        socket_connect_timeout=timeout_s,
        socket_timeout=read_timeout_s or timeout_s,
        retry=Retry(NoBackoff(), 1, (redis.ConnectionError,)) if read_timeout_s else Hasty(),
        health_check_interval=0,
        protocol=2,
        driver_info=None,  # else each new connection looks up the library's version, and tells 6.2, which knows no such
    )
