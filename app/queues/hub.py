"""One Redis reader a process serves everybody in it who watches a job."""

import queue
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import redis
import structlog
from redis.exceptions import RedisError

from app.queues.events import CHANNEL, Event

log = structlog.get_logger(__name__)

MAX_WAITING = 1_000
"""Events that a slow watcher may leave unread; beyond it there is a gap."""

GAP = "gap"
"""The type of what stands where events may be missing: they are to be read up from the log before what comes next."""


class Mailbox:
    """Events of one job for one watcher, in the order in which they were told."""

    def __init__(self, job_id: str) -> None:
        self._gap = Event(job_id, -1, GAP)
        self._events: queue.Queue[Event] = queue.Queue(MAX_WAITING)

    def put(self, event: Event) -> None:
        """Add one; never waits. One too many takes the place of all: the log has them."""
        try:
            self._events.put_nowait(event)
        except queue.Full:
            self.miss()

    def miss(self) -> None:
        """Events may have passed by: leave a gap in place of those that wait, for the log has them as well."""
        with suppress(queue.Empty):  # the watcher takes as well
            while True:
                self._events.get_nowait()
        self._events.put_nowait(self._gap)

    def take(self, timeout_s: float) -> Event | None:
        """The next event, or a gap; None if nothing comes for so long."""
        try:
            return self._events.get(timeout=timeout_s)
        except queue.Empty:
            return None


class EventHub:
    """Hands the events of `job-events` to the watchers of each job. Starts its reader with the first watcher.

    Nothing is heard before the subscription stands, or while it is lost: each time it is made, there is a gap.
    """

    def __init__(self, client: "redis.Redis") -> None:
        self._redis = client
        self._lock = threading.Lock()
        self._mailboxes: dict[str, set[Mailbox]] = defaultdict(set)
        self._reader: threading.Thread | None = None

    @contextmanager
    def mailbox(self, job_id: str) -> Iterator[Mailbox]:
        """Events of a job, from now on, while the block lasts."""
        box = Mailbox(job_id)
        with self._lock:
            self._mailboxes[job_id].add(box)
            self._start_reader()
        try:
            yield box
        finally:
            self._remove(job_id, box)

    def _remove(self, job_id: str, box: Mailbox) -> None:
        with self._lock:
            self._mailboxes[job_id].discard(box)
            if not self._mailboxes[job_id]:
                del self._mailboxes[job_id]

    def _start_reader(self) -> None:
        if self._reader is None or not self._reader.is_alive():
            self._reader = threading.Thread(target=self._read_for_ever, name="event-hub", daemon=True)
            self._reader.start()

    def _is_needed(self) -> bool:
        """Whether somebody watches; if not, the next to do so starts another reader."""
        with self._lock:
            if not self._mailboxes:
                self._reader = None
            return bool(self._mailboxes)

    def _read_for_ever(self) -> None:
        while self._is_needed():
            try:
                self._read()
            except RedisError as error:
                log.warning("event_hub_reconnects", error=type(error).__name__)
                time.sleep(0.5)

    def _read(self) -> None:
        with self._redis.pubsub() as channel:  # type: ignore[no-untyped-call]
            channel.subscribe(CHANNEL)
            while self._mailboxes:
                message = channel.get_message(timeout=5.0)
                if message and message["type"] == "subscribe":
                    self._miss()
                elif message and message["type"] == "message":
                    self._deliver(Event.from_json(message["data"]))

    def _miss(self) -> None:
        with self._lock:
            for boxes in self._mailboxes.values():
                for box in boxes:
                    box.miss()

    def _deliver(self, event: Event) -> None:
        with self._lock:
            boxes = list(self._mailboxes.get(event.job_id, ()))
        for box in boxes:
            box.put(event)
