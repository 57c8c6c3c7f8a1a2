"""The sessions that this worker has, for all its threads to see."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from app.audio.sound import RATE_HZ
from app.domain.errors import ParloirError
from app.domain.live import Mark, Step, StreamSpec
from app.queues.live_output import LiveMessage
from app.services.jobs.claimed import ClaimedJob

if TYPE_CHECKING:
    from workers.streaming.home import Home

AHEAD_S = 2.0
"""Sound that is read ahead of the recogniser: what is beyond stays in Redis, where it costs this worker nothing."""

MOST_PENDING = 64
MOST_PENDING_SOUND = 4 * 1024 * 1024
"""Steps, and bytes of sound to be kept, that wait for PostgreSQL before no more is read."""


PROGRESS_SAMPLES = 10 * RATE_HZ
"""Sound that a run has put behind it without a word said, before it counts as getting on."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """How a session leaves this worker once all its steps are stored."""

    how: Literal["complete", "fail", "crash", "cancel", "release"]
    error: ParloirError | None = None
    detail: str | None = None


@dataclass(eq=False, slots=True)
class LiveRun:
    """A session in the hands of this worker. `committed` is in PostgreSQL, `begun` was when it came,
    `tail` is what its child has told so far.

    `read` is the place in the input (end byte, n) up to which everything went to the child, `done_byte` where the
    recogniser is.
    """

    job: ClaimedJob
    spec: StreamSpec
    committed: Mark
    begun: Mark = field(init=False)
    tail: Mark = field(init=False)
    read: tuple[int, int] = field(init=False)
    done_byte: int = field(init=False)
    ahead_bytes: float = field(init=False)
    home: "Home | None" = None
    sid: int = 0
    n_samples: int = 0
    received: int = 0
    pending: list[Step] = field(default_factory=list)
    held_back: LiveMessage | None = None
    """A partial that is said after the finals before it are stored."""
    has_read_end: bool = False
    leaving: Leaving | None = None
    is_leaving: bool = False
    is_urgent: bool = False
    absent_since: float | None = None
    homeless_since: float | None = None
    ended_for_s: float | None = None
    """When its input was last ended on behalf of a client that has gone."""
    told: tuple[int, int] = (-1, -1)
    seen: tuple[int, int] = (-1, -1)
    """What had been told when the watchman last looked."""
    n_events: int = 0

    def __post_init__(self) -> None:
        self.ahead_bytes = self.spec.bytes_per_s * AHEAD_S
        self.begun = self.tail = self.committed
        self.rewind()
        self.n_samples = self.committed.cursor

    def rewind(self) -> None:
        """Go back to where the next child is to begin."""
        self.read = (self.tail.byte, 0)
        self.done_byte = self.tail.byte
        self.has_read_end = False
        self.held_back = None

    def gets_on(self) -> bool:
        """Whether this run has stored a final or a stretch of sound: what went wrong before it no longer counts."""
        n_samples = self.committed.cursor - self.begun.cursor
        return self.committed.n_finals > self.begun.n_finals or n_samples >= PROGRESS_SAMPLES

    @property
    def crashes(self) -> int:
        """Runs that were lost one after the other, none of which got on."""
        return 0 if self.gets_on() else self.job.crashes

    def wants_input(self) -> bool:
        """Whether more is to be read for it now."""
        if self.home is None or self.has_read_end or self.leaving:
            return False
        if self.pending and self._has_too_much_pending():
            return False
        return self.read[0] - self.done_byte < self.ahead_bytes

    def _has_too_much_pending(self) -> bool:
        return len(self.pending) >= MOST_PENDING or sum(len(step.pcm) for step in self.pending) >= MOST_PENDING_SOUND

    def message(self, kind: str, **fields: object) -> LiveMessage:
        """Something to be said of it."""
        return LiveMessage(self.job.id, kind, self.job.attempt, dict(fields))

    def progress(self) -> LiveMessage:
        """How far it is."""
        self.told = (self.done_byte, self.committed.byte)
        lag_s = max(0, self.received - self.done_byte) / self.spec.bytes_per_s
        return self.message(
            "progress",
            read_byte=self.done_byte,
            committed_byte=self.committed.byte,
            received_byte=self.received,
            lag_s=round(lag_s, 3),
        )


class Board:
    """All sessions, by job. Hold `lock` to change one; `changed` is set when there may be something to store."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.changed = threading.Event()
        self._came = threading.Event()
        self._runs: dict[str, LiveRun] = {}
        self._by_sid: dict[int, LiveRun] = {}
        self._last_sid = 0

    def __len__(self) -> int:
        return len(self._runs)

    def __iter__(self) -> Iterator[LiveRun]:
        """Those there now; they may change while one goes through them."""
        with self.lock:
            return iter(list(self._runs.values()))

    def add(self, run: LiveRun) -> None:
        """A session has come."""
        with self.lock:
            self._runs[run.job.id] = run
        self._came.set()

    def wait_for_one(self, timeout_s: float) -> None:
        """Until a session has come; for one thread."""
        self._came.wait(timeout_s)
        self._came.clear()

    def remove(self, run: LiveRun) -> None:
        """It has left."""
        with self.lock:
            self._runs.pop(run.job.id, None)
            self._by_sid.pop(run.sid, None)
            run.home = None

    def holds(self, run: LiveRun) -> bool:
        """Whether it is still here."""
        return self._runs.get(run.job.id) is run

    def find(self, job_id: str) -> LiveRun | None:
        """The session of a job."""
        return self._runs.get(job_id)

    def opened(self, sid: int) -> LiveRun | None:
        """The session that was opened under this number, if it still is."""
        return self._by_sid.get(sid)

    def settle(self, run: LiveRun, home: "Home") -> None:
        """It begins, or begins again, in a child: where the last one told to be."""
        with self.lock:
            self._by_sid.pop(run.sid, None)
            self._last_sid += 1
            run.sid, run.home = self._last_sid, home
            self._by_sid[run.sid] = run
            run.rewind()

    def unsettle(self, home: "Home") -> list[LiveRun]:
        """A child is lost; its sessions, which are in none now."""
        with self.lock:
            lost = [run for run in self._runs.values() if run.home is home]
            for run in lost:
                self._by_sid.pop(run.sid, None)
                run.home = None
            return lost

    def homeless(self) -> list[LiveRun]:
        """Sessions that wait for a child."""
        return [run for run in self if run.home is None and not run.leaving]
