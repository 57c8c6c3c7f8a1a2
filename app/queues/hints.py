"""A queue in Redis: a sorted set of job ids, best first.

An entry is a hint that a row may be due. It may be lost, doubled or stale; PostgreSQL decides what it is worth.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis
from redis.exceptions import RedisError

from app.domain.errors import Unavailable
from app.domain.job import Mode

OFFER = (Path(__file__).parent / "offer.lua").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Hint:
    """What OFFER needs to know of a job. `cost` is seconds of sound over the project's weight."""

    job_id: str
    project_id: str
    rank: int
    cost: float


class HintQueue:
    """One of the three queues."""

    def __init__(self, client: "redis.Redis", mode: Mode) -> None:
        self._redis = client
        self.name = mode.queue
        self._offer = client.register_script(OFFER)

    def offer(self, *hints: Hint) -> int:
        """Put jobs in, each once; tell how many were not there yet.

        Raises:
            Unavailable: Redis cannot be reached.
        """
        return int(_guarded(lambda: sum(self._offer_one(hint) for hint in hints)))

    def _offer_one(self, hint: Hint) -> int:
        keys = [self.name, f"{self.name}:tags"]
        return int(self._offer(keys=keys, args=[hint.job_id, hint.project_id, hint.rank, max(hint.cost, 0.001)]))

    def take(self, timeout_s: float) -> str | None:
        """Take the best hint out, waiting up to `timeout_s` for one.

        Raises:
            Unavailable: Redis cannot be reached.
        """
        popped = _guarded(lambda: self._redis.bzpopmin(self.name, timeout=timeout_s))
        return popped[1].decode() if popped else None

    def drop(self, job_id: str) -> None:
        """Take a hint out that is worth nothing any more.

        Raises:
            Unavailable: Redis cannot be reached.
        """
        _guarded(lambda: self._redis.zrem(self.name, job_id))

    def missing(self, job_ids: Sequence[str]) -> list[str]:
        """Those of `job_ids` that are not in the queue.

        Raises:
            Unavailable: Redis cannot be reached.
        """
        if not job_ids:
            return []
        scores = _guarded(lambda: self._redis.zmscore(self.name, list(job_ids)))
        return [job_id for job_id, score in zip(job_ids, scores, strict=True) if score is None]

    def position(self, job_id: str) -> int | None:
        """How many come before this job, plus one; None if it is not in the queue.

        Raises:
            Unavailable: Redis cannot be reached.
        """
        rank = _guarded(lambda: self._redis.zrank(self.name, job_id))
        return None if rank is None else int(rank) + 1

    def depth(self) -> int:
        """How many hints wait.

        Raises:
            Unavailable: Redis cannot be reached.
        """
        return int(_guarded(lambda: self._redis.zcard(self.name)))


def _guarded(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except RedisError as error:
        raise Unavailable(service="queue") from error
