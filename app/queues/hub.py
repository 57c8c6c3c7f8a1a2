"""One Redis reader a process serves everybody in it who watches a job."""

import queue
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import redis
import structlog
from redis.exceptions import RedisError

from app.queues.events import CHANNEL, Event

log = structlog.get_logger(__name__)

MAILBOX = 1_000
"""Events that a slow watcher may leave unread; beyond that it misses some and reads them up from the log."""


class EventHub:
    """Hands the events of `job-events` to the watchers of each job. Starts its reader with the first watcher."""

    def __init__(self, client: "redis.Redis") -> None:
        self._redis = client
        self._lock = threading.Lock()
        self._mailboxes: dict[str, set[queue.Queue[Event]]] = defaultdict(set)
        self._reader: threading.Thread | None = None

    @contextmanager
    def mailbox(self, job_id: str) -> Iterator["queue.Queue[Event]"]:
        """Events of a job, from now on, while the block lasts."""
        box: queue.Queue[Event] = queue.Queue(MAILBOX)
        with self._lock:
            self._mailboxes[job_id].add(box)
            self._start_reader()
        try:
            yield box
        finally:
            self._remove(job_id, box)

    def _remove(self, job_id: str, box: "queue.Queue[Event]") -> None:
        with self._lock:
            self._mailboxes[job_id].discard(box)
            if not self._mailboxes[job_id]:
                del self._mailboxes[job_id]

    def _start_reader(self) -> None:
        if self._reader is None or not self._reader.is_alive():
            self._reader = threading.Thread(target=self._read_for_ever, name="event-hub", daemon=True)
            self._reader.start()

    def _read_for_ever(self) -> None:
        while self._mailboxes:
            try:
                self._read()
            except RedisError as error:
                log.warning("event_hub_reconnects", error=type(error).__name__)
                time.sleep(0.5)

    def _read(self) -> None:
        with self._redis.pubsub(ignore_subscribe_messages=True) as channel:  # type: ignore[no-untyped-call]
            channel.subscribe(CHANNEL)
            while self._mailboxes:
                message = channel.get_message(timeout=5.0)
                if message:
                    self._deliver(Event.from_json(message["data"]))

    def _deliver(self, event: Event) -> None:
        with self._lock:
            boxes = list(self._mailboxes.get(event.job_id, ()))
        for box in boxes:
            try:
                box.put_nowait(event)
            except queue.Full:
                log.debug("watcher_is_slow", job_id=event.job_id)
