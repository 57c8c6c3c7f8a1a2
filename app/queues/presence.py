"""Which workers are there: each says so now and then, in a key that goes by itself."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import redis
from redis.exceptions import RedisError

KEEP_S = 15
PREFIX = "worker:"


@dataclass(frozen=True, slots=True)
class WorkerPresence:
    """A worker process: its name (host:pid:token), mode, slots, the jobs it runs, and counts since it started.

    `tries` of a maintenance worker counts its tries to deliver messages by what came of them.
    `lag_s`: of live sound, the longest that it waits to be heard.
    """

    name: str
    mode: str
    slots: int
    busy: int
    jobs: tuple[str, ...] = ()
    completed: int = 0
    failed: int = 0
    crashes: int = 0
    fenced: int = 0
    tries: Mapping[str, int] = field(default_factory=dict)
    lag_s: float = 0.0


def announce(client: "redis.Redis", worker: WorkerPresence) -> None:
    """Say that this worker is there; does nothing while Redis is away."""
    try:
        client.set(PREFIX + worker.name, json.dumps(asdict(worker)), ex=KEEP_S)
    except RedisError:
        return  # said again in a moment


def leave(client: "redis.Redis", name: str) -> None:
    """Say that this worker is gone."""
    try:
        client.delete(PREFIX + name)
    except RedisError:
        return  # the key goes by itself


def list_workers(client: "redis.Redis") -> list[WorkerPresence]:
    """The workers that are there; none can be told while Redis is away."""
    try:
        keys = sorted(client.scan_iter(match=f"{PREFIX}*", count=1000))
        values = client.mget(keys) if keys else []
    except RedisError:
        return []
    return [_presence(json.loads(value)) for value in values if value]


def is_there(client: "redis.Redis", mode: str) -> bool:
    """Whether there is a worker of this mode; none can be told while Redis is away."""
    return any(worker.mode == mode for worker in list_workers(client))


def _presence(stored: dict[str, Any]) -> WorkerPresence:
    """What a newer version says beyond what we know is left out: during a rollout both are there."""
    known = {name: stored[name] for name in WorkerPresence.__dataclass_fields__ if name in stored}
    return WorkerPresence(**{**known, "jobs": tuple(known.get("jobs", ()))})
