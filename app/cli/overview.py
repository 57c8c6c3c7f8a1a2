"""A snapshot of the service as tables for people."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.cli.table import table
from app.queues.presence import WorkerPresence
from app.services.operations.snapshot import LastHour, QueueState, RunState, Snapshot

NOTHING = "-"
MINUTE_S, HOUR_S, DAY_S = 60.0, 3600.0, 86_400.0


@dataclass(frozen=True, slots=True)
class Section:
    """A table with a title; `rows` may be empty."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def headline(snapshot: Snapshot) -> str:
    """How it is, in one line."""
    parts = [
        f"database {_up(snapshot.database)}",
        f"redis {_up(snapshot.redis)}",
        f"fenced writes {snapshot.fenced}",
    ]
    hour = snapshot.last_hour
    return "   ".join(parts if hour is None else [*parts, *_of_last_hour(hour)])


def sections(snapshot: Snapshot) -> tuple[Section, ...]:
    """The tables, in the order in which they are shown."""
    return (
        Section("Queues", QUEUE_COLUMNS, tuple(_queue(queue) for queue in snapshot.queues)),
        Section("Workers", WORKER_COLUMNS, tuple(_worker(worker) for worker in snapshot.workers)),
        Section("In flight", RUN_COLUMNS, tuple(_run(run) for run in snapshot.runs)),
    )


def plain(snapshot: Snapshot) -> str:
    """All of it as text, without anything that only a terminal understands."""
    told = [headline(snapshot), *(_plain(section) for section in sections(snapshot))]
    return "\n\n".join(told)


def duration(seconds: float | None) -> str:
    """A time as people read it at a glance: `3 ms`, `2.5 s`, `4 min`, `1.5 h`, `3.0 d`."""
    if seconds is None:
        return NOTHING
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < MINUTE_S:
        return f"{seconds:.1f} s"
    if seconds < HOUR_S:
        return f"{seconds / MINUTE_S:.0f} min"
    return f"{seconds / HOUR_S:.1f} h" if seconds < DAY_S else f"{seconds / DAY_S:.1f} d"


QUEUE_COLUMNS = ("QUEUE", "WAITING", "RUNNING", "HINTS", "DRIFT", "OLDEST", "WAIT P50", "WAIT P99", "BEAT AGE")
WORKER_COLUMNS = ("WORKER", "MODE", "BUSY", "DONE", "FAILED", "CRASHES", "FENCED", "JOBS")
RUN_COLUMNS = ("JOB", "MODE", "ATTEMPT", "PROGRESS", "SINCE START", "BEAT AGE", "WORKER")


def _queue(queue: QueueState) -> tuple[str, ...]:
    counts = (queue.waiting, queue.running, queue.hints, queue.drift)
    times_s = (queue.oldest_s, queue.wait_p50_s, queue.wait_p99_s, queue.beat_age_s)
    return (queue.name, *(_number(n) for n in counts), *(duration(one) for one in times_s))


def _worker(worker: WorkerPresence) -> tuple[str, ...]:
    totals = (worker.completed, worker.failed, worker.crashes, worker.fenced)
    busy = f"{worker.busy}/{worker.slots}" if worker.slots else NOTHING
    return (worker.name, worker.mode, busy, *(str(n) for n in totals), " ".join(worker.jobs) or NOTHING)


def _run(run: RunState) -> tuple[str, ...]:
    times = (duration(run.running_s), duration(run.beat_age_s))
    return (run.job_id, run.mode, str(run.attempt), f"{run.progress:.0%}", *times, run.worker or NOTHING)


def _of_last_hour(hour: LastHour) -> Sequence[str]:
    ended = ", ".join(f"{n} {state.lower()}" for state, n in hour.ended.items())
    return [f"last hour: {ended}", f"crashes {hour.crashes}", f"poisoned {hour.poisoned}"]


def _plain(section: Section) -> str:
    rows = [section.columns, *section.rows] if section.rows else [("none",)]
    return f"{section.title}\n{table(rows)}"


def _up(answers: bool) -> str:
    return "up" if answers else "DOWN"


def _number(n: int | None) -> str:
    return NOTHING if n is None else str(n)
