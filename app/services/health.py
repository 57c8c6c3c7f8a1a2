"""How the service is doing."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import redis
from redis.exceptions import RedisError
from sqlalchemy import Select, and_, func, select, union_all

from app.domain.errors import Unavailable
from app.domain.job import Mode
from app.domain.states import JobState
from app.models import Job
from app.queues.hints import HintQueue
from app.queues.presence import WorkerPresence, list_workers
from app.services.database import Database
from app.services.jobs.parking import NEVER


def _counted(state: JobState) -> "Select[*tuple[Any, ...]]":
    age_s = func.coalesce(func.extract("epoch", func.now() - func.min(Job.run_at)), 0)
    # A job that is due at the end of time waits for something else than a worker: its other half, or its client.
    which = and_(Job.state == state, Job.run_at < NEVER)
    return select(Job.mode, Job.state, func.count(), age_s).where(which).group_by(Job.mode, Job.state)


# Each half has an index of its own, which a search for both states at once would not use.
COUNTS = union_all(_counted(JobState.QUEUED), _counted(JobState.PROCESSING))


@dataclass(frozen=True, slots=True)
class QueueHealth:
    """One queue: rows that wait and run, the longest wait in seconds, hints in Redis (None: cannot be told)."""

    waiting: int
    running: int
    oldest_s: float
    hints: int | None


@dataclass(frozen=True, slots=True)
class Health:
    """Whether jobs can be taken in and worked on."""

    database: bool
    redis: bool
    queues: dict[str, QueueHealth] = field(default_factory=dict)
    workers: tuple[WorkerPresence, ...] = ()

    @property
    def is_healthy(self) -> bool:
        """Database and Redis answer."""
        return self.database and self.redis

    @property
    def queue_size(self) -> int:
        """Jobs that wait, over all queues."""
        return sum(queue.waiting for queue in self.queues.values())


class HealthCheck:
    """Asks every part how it is."""

    def __init__(self, database: Database, client: "redis.Redis", queues: dict[Mode, HintQueue]) -> None:
        self._database = database
        self._redis = client
        self._queues = queues

    def check(self) -> Health:
        """Ask now; never raises because a part is down."""
        redis_up = _answers(self._redis.ping)
        workers = tuple(list_workers(self._redis)) if redis_up else ()
        try:
            rows = self._rows()
        except Unavailable:
            return Health(database=False, redis=redis_up, workers=workers)
        queues = {mode.queue: self._queue(mode, rows) for mode in Mode}
        return Health(database=True, redis=redis_up, queues=queues, workers=workers)

    def _rows(self) -> dict[tuple[str, str], tuple[int, float]]:
        with self._database.work() as work:
            return {(mode, state): (n, float(age)) for mode, state, n, age in work.session.execute(COUNTS)}

    def _queue(self, mode: Mode, rows: dict[tuple[str, str], tuple[int, float]]) -> QueueHealth:
        waiting, oldest_s = rows.get((mode.value, JobState.QUEUED.value), (0, 0.0))
        running, _ = rows.get((mode.value, JobState.PROCESSING.value), (0, 0.0))
        return QueueHealth(waiting, running, max(0.0, oldest_s), self._depth(mode))

    def _depth(self, mode: Mode) -> int | None:
        try:
            return self._queues[mode].depth()
        except Unavailable:
            return None


def _answers(ask: Callable[[], Any]) -> bool:
    try:
        return bool(ask())
    except RedisError:
        return False
