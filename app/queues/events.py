"""What happens to a job, told while it happens.

Each job has a short log, a Redis Stream `events:<job>` with our own sequence as ids, and every entry is also
published on `job-events`, so that one reader a process serves all who watch. The sequence (`app.domain.job`) always
grows, and Redis itself refuses the late words of a run that was replaced. Like hints, events may be lost:
PostgreSQL tells the end of a job in any case.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis
from redis.exceptions import NoScriptError, RedisError

from app.domain.errors import Unavailable
from app.queues.direct import Direct
from app.queues.live_keys import keys_of

TELL = (Path(__file__).parent / "tell.lua").read_text(encoding="utf-8")
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


def tell_arguments(events: Sequence[Event]) -> tuple[list[bytes], list[Any]]:
    """Keys and arguments of TELL."""
    # As bytes at once: the client looks longer at what it has to encode.
    told = [part for event in events for part in (b"%d" % event.seq, event.to_json().encode())]
    return [f"events:{event.job_id}".encode() for event in events], [CHANNEL, KEEP_S, KEEP_N, *told]


class EventLog:
    """Appends and reads the events of jobs."""

    def __init__(self, client: "redis.Redis") -> None:
        self._redis = client
        self._direct = Direct(client)
        self._tell = client.register_script(TELL)

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
        keys, args = tell_arguments(events)
        try:
            try:
                [n_told] = self._direct(("EVALSHA", self._tell.sha, len(keys), *keys, *args))
            except NoScriptError:
                n_told = self._tell(keys=keys, args=args)
            return int(n_told)
        except RedisError as error:
            raise Unavailable(service="queue") from error

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

    def last_seq(self, job_id: str) -> int | None:
        """The number of the last event told of a job; None if its log is not there.

        Raises:
            Unavailable: Redis cannot be reached.
        """
        try:
            last: Any = self._redis.xrevrange(f"events:{job_id}", count=1)
        except RedisError as error:
            raise Unavailable(service="queue") from error
        return int(last[0][0].partition(b"-")[0]) if last else None

    def forget(self, job_id: str) -> None:
        """Drop a job's log, and what a live session has sent.

        Raises:
            Unavailable: Redis cannot be reached.
        """
        try:
            self._redis.delete(f"events:{job_id}", *keys_of(job_id))
        except RedisError as error:
            raise Unavailable(service="queue") from error
