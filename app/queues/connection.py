"""How the service connects to Redis."""

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry


def connect(url: str, *, timeout_s: float = 0.5, read_timeout_s: float | None = None) -> "redis.Redis":
    """A client whose calls give up soon: a hint is never worth waiting for.

    `read_timeout_s` is for connections that block on purpose (`BZPOPMIN`, Pub/Sub).
    """
    return redis.Redis.from_url(
        url,
        socket_connect_timeout=timeout_s,
        socket_timeout=read_timeout_s or timeout_s,
        retry=Retry(NoBackoff(), 1),
        health_check_interval=0,
        protocol=2,
    )
