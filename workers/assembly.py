"""Everything a worker needs, put together once."""

from typing import Any, Protocol
from uuid import uuid4

from sqlalchemy import create_engine

from app.domain.job import Mode
from app.helpers.database_url import with_driver
from app.queues.connection import connect
from app.queues.events import EventLog
from app.queues.hints import HintQueue
from app.services.database import LOST_PEER, Database, Unhurried, limited
from app.services.diarization.joining import Joiner
from app.services.jobs.bell import Bell
from app.services.jobs.claims import Claims
from app.services.jobs.endings import Endings, RetryPolicy
from app.services.jobs.narrator import AsideNarrator
from app.services.jobs.parking import wake_forgotten
from app.services.jobs.reaper import Reaper
from app.services.jobs.reconciler import Reconciler
from app.services.media.folder import FolderStorage
from app.services.patience import patient
from config.worker import WorkerConfig
from workers.attendance import Limits
from workers.engine_process import EngineProcess
from workers.housekeeping import Housekeeping
from workers.supervisor import StopRequest, Supervisor, worker_name
from workers.taking import TAKE_S
from workers.tools import Tools

MIB = 1024 * 1024


class Runs(Protocol):
    """What a worker's main thread runs until a signal asks to stop."""

    def run(self, housekeeping: Housekeeping) -> None:
        """Work."""


class Worker:
    """A worker process, ready to run."""

    def __init__(
        self, supervisor: Runs, housekeeping: Housekeeping, database: Database, narrator: AsideNarrator
    ) -> None:
        self._supervisor = supervisor
        self._housekeeping = housekeeping
        self._database = database
        self._narrator = narrator

    def run(self) -> None:
        """Work until a signal asks to stop."""
        try:
            self._supervisor.run(self._housekeeping)
        finally:
            self._narrator.close()
            self._database.dispose()


def build_worker(mode: Mode, config: WorkerConfig, child_module: str = "workers.child") -> Worker:
    """Put a worker together, with children that run `child_module`; connects to nothing yet."""
    database = Database(create_engine(**connecting(config)))
    unhurried = Unhurried(**connecting(config))
    client = connect(config.redis_url)
    narrator = AsideNarrator(EventLog(client))
    name = worker_name(uuid4().hex[:6])
    policy = RetryPolicy(max_attempts=config.max_attempts, max_crashes=config.max_crashes, base_s=config.retry_base_s)
    bell = Bell({one: HintQueue(client, one) for one in Mode})
    endings = Endings(database, narrator, name, policy, bell)
    stop = StopRequest(config.drain_s)
    reconciler = Reconciler(database, HintQueue(client, mode), mode)
    tools = Tools(
        mode=mode,
        queue=HintQueue(connect(config.redis_url, read_timeout_s=TAKE_S + 2), mode),
        claims=Claims(database, unhurried, narrator, name),
        endings=endings,
        narrator=narrator,
        storage=FolderStorage(config.storage_dir),
        start_child=lambda: EngineProcess(mode.value, {"CONCURRENCY": str(config.concurrency)}, child_module),
        limits=Limits(config.beat_s, config.stall_s, config.child_max_rss_mb * MIB),
        child_start_s=config.child_start_s,
        recycle_rss_bytes=config.child_recycle_rss_mb * MIB,
        hints_fail=reconciler.is_behind,
        outcome=Joiner(database, endings, narrator, bell) if mode is Mode.DIARIZATION else None,
    )
    supervisor = Supervisor(name, tools, config.concurrency, stop)
    housekeeping = Housekeeping(
        reaper=Reaper(database, endings, mode, lease_s=config.lease_s, tick_s=config.tick_s),
        reconciler=reconciler,
        others=[lambda: wake_forgotten(database, bell)] if mode is Mode.DIARIZATION else [],
        redis=client,
        presence=supervisor.presence,
        tick_s=config.tick_s,
    )
    return Worker(supervisor, housekeeping, database, narrator)


def connecting(config: WorkerConfig) -> dict[str, Any]:
    """How a worker connects to PostgreSQL: what `sqlalchemy.create_engine` takes."""
    return {
        "url": with_driver(config.database_url),
        "pool_size": config.concurrency + 1,
        "max_overflow": 2,
        "connect_args": {
            **LOST_PEER,
            "connect_timeout": 3,
            "connection_factory": patient(35.0),
            "application_name": "parloir-worker",
            "options": limited(30),
        },
    }
