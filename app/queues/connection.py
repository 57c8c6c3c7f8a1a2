"""How the service connects to Redis."""

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.queues.breaker import Breaker


def connect(url: str, *, timeout_s: float = 0.5, read_timeout_s: float | None = None) -> "redis.Redis":
    """A client whose calls give up soon: a hint is never worth waiting for.

    `read_timeout_s` is for connections that block on purpose (`BZPOPMIN`, Pub/Sub).
    """
    if read_timeout_s:
        return _client(url, Retry(NoBackoff(), 1, (redis.ConnectionError,)), timeout_s, read_timeout_s)
    return _client(url, Breaker(lambda: _ping(url, timeout_s)), timeout_s, timeout_s)


def _client(url: str, retry: Retry, connect_timeout_s: float, read_timeout_s: float) -> "redis.Redis":
    return redis.Redis.from_url(
        url,
        socket_connect_timeout=connect_timeout_s,
        socket_timeout=read_timeout_s,
        retry=retry,
        health_check_interval=0,
        protocol=2,
        driver_info=None,  # else each new connection looks up the library's version, and tells 6.2, which knows no such
    )


def _ping(url: str, timeout_s: float) -> None:
    with _client(url, Retry(NoBackoff(), 0), timeout_s, timeout_s) as asking:
        asking.ping()
