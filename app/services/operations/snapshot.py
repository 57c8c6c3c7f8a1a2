"""The service at one moment, as plain values."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from app.queues.presence import WorkerPresence


@dataclass(frozen=True, slots=True)
class QueueState:
    """One queue. Times in seconds; None: it cannot be told, or there is nothing to tell it from.

    `drift` counts due rows without a hint; waits are from due to the first claim, over `n_started` recent jobs;
    `beat_age_s` is the longest time since one of its runs gave a sign of life.
    """

    name: str
    mode: str
    waiting: int
    running: int
    oldest_s: float
    hints: int | None = None
    drift: int | None = None
    n_started: int = 0
    wait_p50_s: float | None = None
    wait_p99_s: float | None = None
    beat_age_s: float | None = None


@dataclass(frozen=True, slots=True)
class RunState:
    """A job in flight. `beat_age_s` is None while a worker that does not tell it (an older version) has it."""

    job_id: str
    mode: str
    attempt: int
    progress: float
    running_s: float
    beat_age_s: float | None
    worker: str | None


@dataclass(frozen=True, slots=True)
class RunErrors:
    """How many runs of the last hour went wrong in one way; `kind` is failure or crash."""

    kind: str
    code: str
    n: int


@dataclass(frozen=True, slots=True)
class LastHour:
    """What ended within the last hour: jobs by state, failed jobs by error code, runs that went wrong."""

    ended: dict[str, int] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    run_errors: tuple[RunErrors, ...] = ()

    @property
    def poisoned(self) -> int:
        """Jobs that were given up because they took their workers down."""
        return self.failed.get("poisoned", 0)

    @property
    def crashes(self) -> int:
        """Runs whose worker or engine process was lost."""
        return sum(errors.n for errors in self.run_errors if errors.kind == "crash")


@dataclass(frozen=True, slots=True)
class Pending:
    """Messages to clients' servers that are still to be delivered; `overdue_s`: how long the first has been due."""

    n: int = 0
    overdue_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Space:
    """The disk that holds the recordings."""

    free_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All of it. Without the database there are no queues, runs or last hour; without Redis no workers and hints."""

    at: datetime
    database: bool
    redis: bool
    queues: tuple[QueueState, ...] = ()
    workers: tuple[WorkerPresence, ...] = ()
    runs: tuple[RunState, ...] = ()
    last_hour: LastHour | None = None
    storage: Space | None = None
    deliveries: Pending | None = None

    @property
    def fenced(self) -> int:
        """Writes refused because the job was no longer that run's, by the workers there, since they started."""
        return sum(worker.fenced for worker in self.workers)

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON takes it."""
        hour = self.last_hour and {
            **asdict(self.last_hour),
            "poisoned": self.last_hour.poisoned,
            "crashes": self.last_hour.crashes,
        }
        return {**asdict(self), "at": self.at.isoformat(), "fenced": self.fenced, "last_hour": hour}
