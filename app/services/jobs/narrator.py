"""Tells what happens to jobs, as well as it can: a missed event costs a watcher some seconds, never the truth."""

from typing import Any

import structlog

from app.domain.errors import Unavailable
from app.domain.job import JobView, seq_of_state
from app.domain.states import JobState
from app.queues.breaker import Breaker
from app.queues.events import Event, EventLog

log = structlog.get_logger(__name__)

TYPE_OF_STATE = {JobState.COMPLETED: "completed", JobState.FAILED: "failed"}


class Narrator:
    """Appends events, never raising when Redis is away."""

    def __init__(self, events: EventLog) -> None:
        self._events = events
        self._breaker = Breaker()

    def tell(self, event: Event) -> None:
        """Append one event."""
        try:
            self._breaker.call(lambda: self._events.append(event))
        except Unavailable:
            log.debug("event_not_told", job_id=event.job_id, type=event.type)

    def state(self, job_id: str, state: JobState, attempt: int, **fields: Any) -> None:
        """Tell that a job has come into a state."""
        self.tell(state_event(job_id, state, attempt, **fields))


def state_event(job_id: str, state: JobState, attempt: int, **fields: Any) -> Event:
    """The event that a job in its `attempt`-th run has come into `state`."""
    kind = TYPE_OF_STATE.get(state, "state")
    return Event(job_id, seq_of_state(state, attempt), kind, {"state": state.value, **fields})


def snapshot_event(job: JobView) -> Event:
    """The event that tells a late-comer how things stand."""
    extra = {"error_code": job.error.code} if job.error else {}
    return state_event(job.id, job.state, job.attempt, progress=job.progress, position=job.position, **extra)
