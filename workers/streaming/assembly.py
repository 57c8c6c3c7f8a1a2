"""A streaming worker, put together once."""

from typing import Any
from uuid import uuid4

from sqlalchemy import create_engine

from app.domain.job import Mode
from app.queues.connection import connect
from app.queues.events import EventLog
from app.queues.hints import HintQueue
from app.queues.live_input import LiveInput
from app.queues.live_output import LiveOutput
from app.queues.presence import is_there
from app.services.database import Database, Unhurried
from app.services.jobs.claims import Claims
from app.services.jobs.endings import Endings, RetryPolicy
from app.services.jobs.narrator import AsideNarrator
from app.services.jobs.reaper import Reaper
from app.services.jobs.reconciler import Reconciler
from app.services.media.folder import FolderStorage
from app.services.streaming.finishing import Finishing, Refinement
from app.services.streaming.ledger import StreamLedger
from config.worker import WorkerConfig
from workers.assembly import MIB, Worker, connecting
from workers.engine_process import EngineProcess
from workers.housekeeping import Housekeeping
from workers.streaming.board import Board
from workers.streaming.clerk import Clerk
from workers.streaming.door import TAKE_S, Door
from workers.streaming.home import Home, HomeLimits
from workers.streaming.intake import Intake
from workers.streaming.leaving import AT_ONCE, Departures
from workers.streaming.minutes import Minutes
from workers.streaming.supervisor import Parts, StreamSupervisor
from workers.streaming.teller import Teller
from workers.streaming.watchman import WatchLimits, Watchman
from workers.supervisor import StopRequest, worker_name
from workers.tools import Tally

CHILD = "workers.streaming.child"
MODE = Mode.STREAMING


def build_streaming_worker(config: WorkerConfig) -> Worker:
    """Put it together; connects to nothing yet."""
    pool: dict[str, Any] = {**connecting(config), "pool_size": AT_ONCE + 4}
    database, unhurried = Database(create_engine(**pool)), Unhurried(**pool)
    client, waiting = connect(config.redis_url), connect(config.redis_url, read_timeout_s=TAKE_S + 2)
    narrator = AsideNarrator(EventLog(client))
    name, stop, board, tally = worker_name(uuid4().hex[:6]), StopRequest(config.drain_s), Board(), Tally()
    policy = RetryPolicy(config.max_attempts, config.max_crashes, config.retry_base_s)
    endings, queue = Endings(database, narrator, name, policy), HintQueue(client, MODE)
    ledger, live = StreamLedger(database, unhurried), LiveInput(client)
    teller = Teller(LiveOutput(client), live)
    minutes = Minutes(board, teller, tally)
    refinement = Refinement(
        config.default_engine, config.default_diarizer, lambda: is_there(client, Mode.DIARIZATION.value)
    )
    finishing = Finishing(database, FolderStorage(config.storage_dir), narrator, refinement)
    departures = Departures(endings, finishing, policy, queue, minutes, teller, tally, stop)
    claims = Claims(database, unhurried, narrator, name)
    parts = Parts(
        board=board,
        homes=[_home(config, minutes, stop) for _ in range(config.concurrency)],
        minutes=minutes,
        intake=Intake(board, LiveInput(waiting), stop),
        clerk=Clerk(board, ledger, minutes, teller, narrator, departures, tally, config.stream_beat_s),
        door=Door(board, HintQueue(waiting, MODE), claims, endings, ledger, minutes),
        departures=departures,
        watchman=Watchman(board, live, teller, _watched(config)),
        teller=teller,
        tally=tally,
    )
    minutes.employ(parts.homes)
    supervisor = StreamSupervisor(name, parts, stop)
    housekeeping = Housekeeping(
        reaper=Reaper(database, endings, MODE, lease_s=config.stream_lease_s, tick_s=config.stream_beat_s),
        reconciler=Reconciler(database, queue, MODE),
        redis=client,
        presence=supervisor.presence,
        tick_s=config.stream_beat_s,
    )
    return Worker(supervisor, housekeeping, database, narrator)


def _watched(config: WorkerConfig) -> WatchLimits:
    return WatchLimits(config.stream_abandoned_s, config.max_duration_s, config.child_start_s)


def _home(config: WorkerConfig, minutes: Minutes, stop: StopRequest) -> Home:
    settings = {"CONCURRENCY": str(config.concurrency)}
    limits = HomeLimits(config.child_start_s, config.stream_stall_s, config.child_max_rss_mb * MIB)
    return Home(lambda fd: EngineProcess(MODE.value, settings, CHILD, [fd]), minutes, limits, stop)
