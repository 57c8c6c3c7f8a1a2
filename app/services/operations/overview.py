"""The one look at the whole service, for `/metrics` and for people."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import redis
from sqlalchemy.orm import Session

from app.domain.errors import Unavailable
from app.domain.job import Mode
from app.queues.hints import HintQueue
from app.services.database import Database
from app.services.health import Health, HealthCheck
from app.services.jobs.reconciler import drift
from app.services.media.folder import FolderStorage
from app.services.operations import recent
from app.services.operations.snapshot import LastHour, Pending, QueueState, RunState, Snapshot, Space


@dataclass(frozen=True, slots=True)
class _Lately:
    """What the tables tell beside the counts."""

    waits: Mapping[str, tuple[int, float, float]]
    runs: tuple[RunState, ...]
    last_hour: LastHour
    deliveries: Pending


class Operations:
    """Looks at every part once. `storage` is given where the recordings' disk can be seen."""

    def __init__(
        self,
        database: Database,
        client: "redis.Redis",
        queues: Mapping[Mode, HintQueue],
        storage: FolderStorage | None = None,
    ) -> None:
        self._database = database
        self._queues = dict(queues)
        self._health = HealthCheck(database, client, self._queues)
        self._storage = storage

    def snapshot(self) -> Snapshot:
        """How things stand now; never raises because a part is down."""
        health = self._health.check()
        lately = self._lately() if health.database else None
        space, at = self._space(), datetime.now(UTC)
        if lately is None:
            return Snapshot(at, database=False, redis=health.redis, workers=health.workers, storage=space)
        queues = tuple(self._queue(mode, health, lately) for mode in Mode)
        return Snapshot(
            at, True, health.redis, queues, health.workers, lately.runs, lately.last_hour, space, lately.deliveries
        )

    def _space(self) -> Space | None:
        try:
            return Space(*self._storage.space()) if self._storage else None
        except OSError:
            return None  # the disk is away: that there is no figure says so

    def _lately(self) -> _Lately | None:
        try:
            with self._database.work() as work:
                return _looked(work.session)
        except Unavailable:
            return None

    def _queue(self, mode: Mode, health: Health, lately: _Lately) -> QueueState:
        counted = health.queues[mode.queue]
        n_started, p50_s, p99_s = lately.waits.get(mode.value, (0, None, None))
        return QueueState(
            name=mode.queue,
            mode=mode.value,
            waiting=counted.waiting,
            running=counted.running,
            oldest_s=counted.oldest_s,
            hints=counted.hints,
            drift=self._drift(mode, counted.waiting) if health.redis else None,
            n_started=n_started,
            wait_p50_s=p50_s,
            wait_p99_s=p99_s,
            beat_age_s=_oldest_beat_s(run for run in lately.runs if run.mode == mode.value),
        )

    def _drift(self, mode: Mode, n_waiting: int) -> int | None:
        try:
            return drift(self._database, self._queues[mode], mode) if n_waiting else 0
        except Unavailable:
            return None


def _looked(session: Session) -> _Lately:
    return _Lately(recent.waits(session), recent.runs(session), recent.last_hour(session), recent.pending(session))


def _oldest_beat_s(runs: Iterable[RunState]) -> float | None:
    return max((run.beat_age_s for run in runs if run.beat_age_s is not None), default=None)
