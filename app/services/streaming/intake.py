"""What the clients of this process send, written to Redis together: one round trip for many sockets."""

import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import structlog

from app.domain.errors import ParloirError, Unavailable
from app.helpers.gathering import apart_s
from app.queues.live_input import Append, LiveInput

log = structlog.get_logger(__name__)

KEEP_EVERY_S, KEPT_AT_ONCE = 3.0, 100
"""Signs of life of so many connections in one round trip: what is to be written waits meanwhile."""
RETRY_S = 0.25
AT_ONCE_BYTES = 1024 * 1024
"""Sound in one round trip. Hundreds of sockets that are behind have more than Redis takes in before it seems gone."""
AWAY_S = 10.0
"""How long Redis may be away before connections are given up; their clients come back and send again."""


class Source(Protocol):
    """A connection, as the intake sees it."""

    job_id: str
    owner: str

    def take(self) -> Append | None:
        """What waits to be written; the same again until it is `written`."""

    def written(self, answer: int | ParloirError) -> None:
        """What became of it: the bytes held, or why it was refused."""

    def displaced(self) -> None:
        """Redis does not know it as the owner of its session."""


Portion = list[tuple[Source, Append]]


class Intake:
    """One thread a process, while there are connections: writes what has come, and says that their owners are there."""

    def __init__(self, live_input: LiveInput) -> None:
        self._input = live_input
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._sources: dict[Source, float] = {}
        """When a sign of life of each was given last; the oldest first."""
        self._due: deque[Source] = deque()
        self._thread: threading.Thread | None = None
        self._written_s = 0.0

    def join(self, source: Source) -> None:
        """Serve a connection from now on."""
        with self._lock:
            self._sources[source] = time.monotonic()
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="live-intake", daemon=True)
                self._thread.start()

    def leave(self, source: Source) -> None:
        """Serve it no longer; what waits is dropped."""
        with self._lock:
            self._sources.pop(source, None)
        self._wake.set()

    def come(self, source: Source) -> None:
        """The connection has something to be written."""
        self._due.append(source)
        if not self._wake.is_set():
            self._wake.set()

    def _serve(self) -> None:
        while self._is_needed():
            self._wake.wait(max(0.0, self._oldest_s() + KEEP_EVERY_S - time.monotonic()))
            self._gather()
            self._wake.clear()
            try:
                self._write()
                self._keep()
            except Exception:  # one connection's trouble must not silence the others
                log.exception("live_intake_failed")

    def _is_needed(self) -> bool:
        with self._lock:
            if not self._sources:
                self._thread = None
            return self._thread is not None

    def _gather(self) -> None:
        """Writes begin so far apart from each other: what one takes itself is not waited once more."""
        time.sleep(max(0.0, self._written_s + apart_s(len(self._sources)) - time.monotonic()))
        self._written_s = time.monotonic()

    def _taken(self) -> list[Source]:
        """The connections that have something to be written, each once, in the order in which they came."""
        due = dict.fromkeys(self._due.popleft() for _ in range(len(self._due)))
        with self._lock:
            return [source for source in due if source in self._sources]

    def _write(self) -> None:
        for portion in _portions(self._taken()):
            answers = self._patiently([append for _, append in portion])
            for (source, _), answer in zip(portion, answers, strict=True):
                source.written(answer)
            self._keep()

    def _patiently(self, appends: Sequence[Append]) -> Sequence[int | ParloirError]:
        """Written again and again while Redis is away, which adds nothing twice."""
        deadline_s = time.monotonic() + AWAY_S
        while True:
            try:
                return self._input.append_many(appends)
            except Unavailable as error:
                if time.monotonic() > deadline_s:
                    return [error] * len(appends)
                time.sleep(RETRY_S)

    def _oldest_s(self) -> float:
        """When the last sign of life was given of whoever has waited longest."""
        with self._lock:
            return next(iter(self._sources.values()), time.monotonic())

    def _keep(self) -> None:
        """A few at a time, also such as are due soon, so that they take turns."""
        now_s = time.monotonic()
        if now_s < self._oldest_s() + KEEP_EVERY_S:
            return
        with self._lock:
            soon = [source for source, kept_s in self._sources.items() if now_s > kept_s + KEEP_EVERY_S / 2]
            for source in soon[:KEPT_AT_ONCE]:
                del self._sources[source]
                self._sources[source] = now_s
        by_job = {source.job_id: source for source in soon[:KEPT_AT_ONCE]}
        try:
            gone = self._input.keep_owner({job_id: source.owner for job_id, source in by_job.items()})
        except Unavailable:
            return  # what is to be written tells it
        for job_id in gone:
            by_job[job_id].displaced()


def _portions(due: Iterable[Source]) -> Iterator[Portion]:
    """What waits to be written, as much of it at a time as goes in one round trip."""
    portion: Portion = []
    n_bytes = 0
    for source in due:
        if (append := source.take()) is None:
            continue
        portion.append((source, append))
        n_bytes += len(append.data)
        if n_bytes >= AT_ONCE_BYTES:
            yield portion
            portion, n_bytes = [], 0
    if portion:
        yield portion
