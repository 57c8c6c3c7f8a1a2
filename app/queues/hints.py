"""A queue in Redis: a sorted set of job ids, best first.

An entry is a hint that a row may be due. It may be lost, doubled or stale; PostgreSQL decides what it is worth.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis
from redis.exceptions import NoScriptError, RedisError

from app.domain.errors import Unavailable
from app.domain.job import Mode
from app.queues.direct import Command, Direct
from app.queues.events import TELL, Event, tell_arguments

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
        self._direct = Direct(client)
        self.name = mode.queue
        self._keys = [self.name, f"{self.name}:tags"]
        self._offer = client.register_script(OFFER)
        self._tell = client.register_script(TELL)

    def offer(self, *hints: Hint) -> int:
        """Put jobs in, each once; tell how many were not there yet.

        Raises:
            Unavailable: Redis cannot be reached.
        """
        return int(_guarded(lambda: sum(self._offer_one(hint) for hint in hints)))

    def _offer_one(self, hint: Hint) -> int:
        return int(self._offer(keys=self._keys, args=_offered(hint)))

    def offer_and_tell(self, hint: Hint, event: Event) -> None:
        """Put a job in, and tell that it waits, in one go.

        Raises:
            Unavailable: Redis cannot be reached.
        """
        try:
            _guarded(lambda: self._in_one_go(hint, event))
        except NoScriptError:
            # Redis was started again. Once more, each with its script; what was done already is not done twice.
            self.offer(hint)
            _guarded(lambda: self._tell(*tell_arguments([event])))

    def tell(self, event: Event) -> None:
        """Tell an event of a job that waits for something else than a worker.

        Raises:
            Unavailable: Redis cannot be reached.
        """
        _guarded(lambda: self._tell(*tell_arguments([event])))

    def _in_one_go(self, hint: Hint, event: Event) -> None:
        """A worker waits for the hint: the event is put into words when that is on its way."""
        self._direct.in_turn(
            ("EVALSHA", self._offer.sha, len(self._keys), *self._keys, *_offered(hint)), lambda: self._telling(event)
        )

    def _telling(self, event: Event) -> Command:
        told, words = tell_arguments([event])
        return ("EVALSHA", self._tell.sha, len(told), *told, *words)

    def take(self, timeout_s: float) -> str | None:
        """Take the best hint out, waiting up to `timeout_s` for one.

        Raises:
            Unavailable: Redis cannot be reached.
        """
        (popped,) = _guarded(lambda: self._direct(("BZPOPMIN", self.name, timeout_s)))
        return popped[1].decode() if popped else None

    def take_more(self, n: int) -> list[tuple[str, float]]:
        """Take up to `n` of the best hints out without waiting; each with its score.

        Raises:
            Unavailable: Redis cannot be reached.
        """
        popped = _guarded(lambda: self._redis.zpopmin(self.name, n))
        return [(job_id.decode(), score) for job_id, score in popped]

    def put_back(self, hints: Sequence[tuple[str, float]]) -> None:
        """Put hints that `take_more` gave back where they were.

        Raises:
            Unavailable: Redis cannot be reached.
        """
        _guarded(lambda: self._redis.zadd(self.name, dict(hints), nx=True))

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


def _offered(hint: Hint) -> list[Any]:
    return [hint.job_id, hint.project_id, hint.rank, max(hint.cost, 0.001)]


def _guarded(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except NoScriptError:
        raise
    except RedisError as error:
        raise Unavailable(service="queue") from error
