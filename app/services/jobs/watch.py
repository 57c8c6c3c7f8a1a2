"""Following a job: how things stand, then everything that happens, until it ends."""

import queue
from collections.abc import Iterator

from app.domain.errors import Unavailable
from app.domain.job import SEQ_PER_ATTEMPT, seq_of_state
from app.domain.principal import Principal
from app.domain.states import JobState
from app.queues.events import Event, EventLog
from app.queues.hub import EventHub
from app.services.jobs.catalogue import Catalogue
from app.services.jobs.narrator import snapshot_event

LOOK_AGAIN_S = 2.0


class Watch:
    """Streams of events. Redis makes them quick; PostgreSQL, looked at now and then, makes them certain."""

    def __init__(self, catalogue: Catalogue, events: EventLog, hub: EventHub) -> None:
        self._catalogue = catalogue
        self._events = events
        self._hub = hub

    def follow(self, principal: Principal, job_id: str, after: int | None = None) -> Iterator[Event | None]:
        """Yield the current state, then what happens from then on (or since sequence number `after`).

        None is yielded whenever nothing happened for a while, so that the caller can notice a reader that has left.
        Ends after the event of a final state.

        Raises:
            NotFound: unknown, or of another project (before anything is yielded).
            Unavailable: PostgreSQL cannot be reached.
        """
        job = self._catalogue.get_job(principal, job_id)
        snapshot = snapshot_event(job)
        return self._follow(principal, job_id, snapshot, after)

    def _follow(self, principal: Principal, job_id: str, snapshot: Event, after: int | None) -> Iterator[Event | None]:
        with self._hub.mailbox(job_id) as box:
            last = -1 if after is None else after
            ended = _ends(snapshot)
            if (first := _standing(snapshot)).seq > last:
                yield first
            for event in self._told_since(job_id, last, snapshot):
                last = max(last, event.seq)
                yield event
            if ended:
                if snapshot.type != "state":
                    yield snapshot
                return
            yield from self._live(principal, job_id, box, max(last, snapshot.seq if after is None else last))

    def _live(self, principal: Principal, job_id: str, box: "queue.Queue[Event]", last: int) -> Iterator[Event | None]:
        while True:
            try:
                happened = [box.get(timeout=LOOK_AGAIN_S)]
            except queue.Empty:
                happened = self._look_again(principal, job_id, last)
                yield None
            for event in happened:
                if event.seq <= last:
                    continue
                last = event.seq
                yield event
                if _ends(event):
                    return

    def _look_again(self, principal: Principal, job_id: str, last: int) -> list[Event]:
        now = snapshot_event(self._catalogue.get_job(principal, job_id))
        told = [event for event in self._told_since(job_id, last, None) if event.seq < now.seq or not _ends(event)]
        return [*told, now]

    def _told_since(self, job_id: str, last: int, snapshot: Event | None) -> list[Event]:
        try:
            told = self._events.read(job_id, last)
        except Unavailable:
            return []
        if snapshot is None:
            return told
        # What led to the state that was told already is no news, but the words heard so far are.
        return [event for event in told if event.type == "segment" or event.seq > snapshot.seq]


def _standing(snapshot: Event) -> Event:
    """How things stand, for a late-comer: numbered before all that happened in the run, which is told next."""
    if snapshot.type == "state":
        return snapshot
    begun = seq_of_state(JobState.PROCESSING, snapshot.seq // SEQ_PER_ATTEMPT)
    return Event(snapshot.job_id, begun, "state", snapshot.fields)


def _ends(event: Event) -> bool:
    return JobState(event.fields.get("state", JobState.PROCESSING)).is_final
