"""What happens to a job, told while it happens.

Each job has a short log, a Redis Stream `events:<job>` with our own sequence as ids, and every entry is also
published on `job-events`, so that one reader a process serves all who watch. The sequence (`app.domain.job`) always
grows, and Redis itself refuses the late words of a run that was replaced. Like hints, events may be lost:
PostgreSQL tells the end of a job in any case.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import redis
from redis.exceptions import RedisError, ResponseError

from app.domain.errors import Unavailable
from app.queues.live_keys import keys_of

CHANNEL = "job-events"
KEEP_S = 24 * 3600
KEEP_N = 5_000


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. `type` is state, progress, segment, completed or failed."""

    job_id: str
    seq: int
    type: str
    fields: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """The form in which it travels."""
        return json.dumps({"job_id": self.job_id, "seq": self.seq, "type": self.type, "fields": self.fields})

    @staticmethod
    def from_json(text: str | bytes) -> "Event":
        """The event that `to_json` wrote."""
        return Event(**json.loads(text))


class EventLog:
    """Appends and reads the events of jobs."""

    def __init__(self, client: "redis.Redis") -> None:
        self._redis = client

    def append(self, event: Event) -> bool:
        """Tell an event; False if a later one was already told.

        Raises:
            Unavailable: Redis cannot be reached.
        """
        return self.append_all([event]) == 1

    def append_all(self, events: Sequence[Event]) -> int:
        """Tell events in one go; how many were not too late.

        Raises:
            Unavailable: Redis cannot be reached.
        """
        pipe = self._redis.pipeline(transaction=False)
        for event in events:
            key, text = f"events:{event.job_id}", event.to_json()
            pipe.xadd(key, {"e": text}, id=f"{event.seq}-1", maxlen=KEEP_N, approximate=True)
            pipe.expire(key, KEEP_S)
            pipe.publish(CHANNEL, text)
        try:
            answers: list[Any] = pipe.execute(raise_on_error=False)
        except RedisError as error:
            raise Unavailable(service="queue") from error
        return sum(not isinstance(answer, ResponseError) for answer in answers[::3])

    def read(self, job_id: str, after: int) -> list[Event]:
        """The events told after sequence number `after`.

        Raises:
            Unavailable: Redis cannot be reached.
        """
        try:
            entries: Any = self._redis.xrange(f"events:{job_id}", min=f"{after + 1}-0")
        except RedisError as error:
            raise Unavailable(service="queue") from error
        return [Event.from_json(fields[b"e"]) for _, fields in entries]

    def forget(self, job_id: str) -> None:
        """Drop a job's log, and what a live session has sent.

        Raises:
            Unavailable: Redis cannot be reached.
        """
        try:
            self._redis.delete(f"events:{job_id}", *keys_of(job_id))
        except RedisError as error:
            raise Unavailable(service="queue") from error
