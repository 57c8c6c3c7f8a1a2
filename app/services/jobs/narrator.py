"""Tells what happens to jobs, as well as it can: a missed event costs a watcher some seconds, never the truth."""

import queue
import threading
from typing import Any

import structlog

from app.domain.errors import Unavailable
from app.domain.job import JobView, seq_of_state
from app.domain.states import JobState
from app.queues.events import Event, EventLog

log = structlog.get_logger(__name__)

MAX_UNTOLD = 10_000
MAX_AT_ONCE = 100

TYPE_OF_STATE = {JobState.COMPLETED: "completed", JobState.FAILED: "failed"}


class Narrator:
    """Appends events, never raising when Redis is away."""

    def __init__(self, events: EventLog) -> None:
        self._events = events

    def tell(self, event: Event) -> None:
        """Append one event."""
        try:
            self._events.append(event)
        except Unavailable:
            log.debug("event_not_told", job_id=event.job_id, type=event.type)

    def state(self, job_id: str, state: JobState, attempt: int, **fields: Any) -> None:
        """Tell that a job has come into a state."""
        self.tell(state_event(job_id, state, attempt, **fields))


class AsideNarrator(Narrator):
    """Tells in a thread of its own, several events in one go, so that no run waits for Redis. Close it at the end."""

    def __init__(self, events: EventLog) -> None:
        super().__init__(events)
        self._untold: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._tell_until_closed, name="narrator", daemon=True)
        self._thread.start()

    def tell(self, event: Event) -> None:
        """Have one event told soon, after those before it."""
        if self._untold.qsize() < MAX_UNTOLD:
            self._untold.put(event)
        else:
            log.debug("event_not_told", job_id=event.job_id, type=event.type)

    def close(self, within_s: float = 2.0) -> None:
        """Tell what is still to be told, if that takes no longer than so many seconds."""
        self._untold.put(None)
        self._thread.join(within_s)

    def _tell_until_closed(self) -> None:
        while (event := self._untold.get()) is not None:
            told = [event, *self._waiting()]
            self._tell_all([one for one in told if one is not None])
            if None in told:
                return

    def _waiting(self) -> list[Event | None]:
        return [self._untold.get_nowait() for _ in range(min(self._untold.qsize(), MAX_AT_ONCE))]

    def _tell_all(self, events: list[Event]) -> None:
        try:
            self._events.append_all(events)
        except Unavailable:
            log.debug("events_not_told", n=len(events))


def state_event(job_id: str, state: JobState, attempt: int, **fields: Any) -> Event:
    """The event that a job in its `attempt`-th run has come into `state`."""
    kind = TYPE_OF_STATE.get(state, "state")
    return Event(job_id, seq_of_state(state, attempt), kind, {"state": state.value, **fields})


def snapshot_event(job: JobView) -> Event:
    """The event that tells a late-comer how things stand."""
    extra = {"error_code": job.error.code} if job.error else {}
    return state_event(job.id, job.state, job.attempt, progress=job.progress, position=job.position, **extra)
