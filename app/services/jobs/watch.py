"""Following a job: how things stand, then everything that happens, until it ends."""

import time
from collections.abc import Iterable, Iterator

from app.domain.errors import Unavailable
from app.domain.job import SEQ_PER_ATTEMPT, seq_of_state
from app.domain.principal import Principal
from app.domain.states import JobState
from app.queues.events import Event, EventLog
from app.queues.hub import GAP, EventHub, Mailbox
from app.services.jobs.catalogue import Catalogue
from app.services.jobs.narrator import snapshot_event

LOOK_AGAIN_S = 2.0
TOLD_WITHIN_S = 5.0
"""PostgreSQL knows the end of a job before the log does: so long the log may take to come to it."""

TOLD_EVERY_S = 0.02


class Watch:
    """Streams of events. Redis makes them quick; PostgreSQL, looked at now and then, makes them certain.

    The end is told last: what the log has of the time before it is told before it, whichever way the end is heard of.
    """

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
        return self._follow(principal, snapshot_event(job), after)

    def _follow(self, principal: Principal, snapshot: Event, after: int | None) -> Iterator[Event | None]:
        last = -1 if after is None else after
        with self._hub.mailbox(snapshot.job_id) as box:
            told = self._before(snapshot, last)
            if (first := _standing(snapshot, told)).seq > last:
                yield first
            if told[-1:] == [first]:
                return
            for event in told:
                last = max(last, event.seq)
                yield event
                if _ends(event):
                    return
            yield from self._live(principal, box, max(last, snapshot.seq), snapshot.job_id)

    def _before(self, snapshot: Event, last: int) -> list[Event]:
        """What led to how things stand, as far as it is news: the words heard so far, and what came since."""
        job_id = snapshot.job_id
        told = self._to_the_end(snapshot, last) if _ends(snapshot) else self._told_since(job_id, last) or []
        return [event for event in told if event.type == "segment" or event.seq > snapshot.seq or event is snapshot]

    def _live(self, principal: Principal, box: Mailbox, last: int, job_id: str) -> Iterator[Event | None]:
        is_behind = True
        while True:
            event = box.take(LOOK_AGAIN_S)
            if event is None:
                yield None
            is_behind = is_behind or event is None or event.type == GAP
            happened = self._look_again(principal, job_id, last) if is_behind else []
            if happened is None:
                continue
            is_behind = False
            for one in _rising([*happened, *([event] if event else [])], last):
                last = one.seq
                yield one
                if _ends(one):
                    return

    def _look_again(self, principal: Principal, job_id: str, last: int) -> list[Event] | None:
        """What happened since; None while it cannot be told, though the job goes on."""
        now = snapshot_event(self._catalogue.get_job(principal, job_id))
        if _ends(now):
            return self._to_the_end(now, last)
        told = self._told_since(job_id, last)
        return None if told is None else [*told, now]

    def _to_the_end(self, end: Event, last: int) -> list[Event]:
        """The words that the log has from before the end, then the end."""
        self._wait_for(end)
        told = self._told_since(end.job_id, last) or []
        return [*(event for event in told if event.seq < end.seq and not _ends(event)), end]

    def _wait_for(self, end: Event) -> None:
        """Until the log has come to the end; in vain where it was lost, and not at all where there is none."""
        deadline_s = time.monotonic() + TOLD_WITHIN_S
        while time.monotonic() < deadline_s:
            try:
                seq = self._events.last_seq(end.job_id)
            except Unavailable:
                return
            if seq is None or seq >= end.seq:
                return
            time.sleep(TOLD_EVERY_S)

    def _told_since(self, job_id: str, last: int) -> list[Event] | None:
        try:
            return self._events.read(job_id, last)
        except Unavailable:
            return None


def _rising(events: Iterable[Event], last: int) -> Iterator[Event]:
    """Those that come after `last`, each once."""
    for event in events:
        if event.seq > last:
            last = event.seq
            yield event


def _standing(snapshot: Event, told: list[Event]) -> Event:
    """How things stand, for a late-comer: numbered before all that happened in the run, which is `told` next."""
    if not _ends(snapshot) or (snapshot.type == "state" and told == [snapshot]):
        return snapshot
    begun = seq_of_state(JobState.PROCESSING, snapshot.seq // SEQ_PER_ATTEMPT)
    return Event(snapshot.job_id, begun, "state", snapshot.fields)


def _ends(event: Event) -> bool:
    return JobState(event.fields.get("state", JobState.PROCESSING)).is_final
