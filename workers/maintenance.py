"""The maintenance worker: deliveries, and tidying up what crashes have left behind.

Any number of them may run, on any machines: each thing to do is taken from the tables by one of them. Recordings are
swept from this machine's storage only.
"""

import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FrameType
from uuid import uuid4

import redis
import structlog
from sqlalchemy import Engine, create_engine

from app.domain.errors import Unavailable
from app.helpers.database_url import with_driver
from app.queues.connection import connect
from app.queues.events import EventLog
from app.queues.presence import WorkerPresence, announce, leave
from app.services.database import LOST_PEER, Database, limited
from app.services.delivery.courier import Courier
from app.services.delivery.deliverer import Deliverer
from app.services.delivery.key_file import kept_secret
from app.services.delivery.ledger import DeliveryLedger
from app.services.delivery.signing import key_of
from app.services.jobs.idempotency import forget_expired
from app.services.jobs.narrator import Narrator
from app.services.jobs.removal import Removal
from app.services.jobs.retention import Keeping, Retention
from app.services.media.folder import FolderStorage
from app.services.media.orphans import remove_orphans
from app.services.patience import patient
from app.services.streaming.unconnected import give_up_unconnected
from config.worker import WorkerConfig
from workers.outside import build_outbound
from workers.supervisor import worker_name

log = structlog.get_logger(__name__)

MODE = "maintenance"
LOOK_EVERY_S = 1.0
"""Longest time before a message that is due is tried, and before a stop is noticed."""

TRIES_END_WITHIN_S = 3.0
ANNOUNCE_EVERY_S = 5.0
UNCONNECTED_EVERY_S = 30.0
SWEEP_EVERY_S = 600.0
UPLOAD_IS_DEAD_AFTER_S = 24 * 3600.0
ORPHAN_IS_OLDER_THAN_S = 7 * 24 * 3600.0
"""A week: whoever restores an older database beside newer recordings has time to notice what it does not know of."""


@dataclass(slots=True)
class Chore:
    """Something to do every so often; `do` tells how much there was to do."""

    name: str
    every_s: float
    do: Callable[[], int]
    due_at: float = 0.0


class Maintenance:
    """The process: deliveries in the main thread, chores beside them."""

    def __init__(
        self, name: str, database: Database, client: "redis.Redis", deliverer: Deliverer, chores: Sequence[Chore]
    ) -> None:
        self._name = name
        self._database = database
        self._redis = client
        self._deliverer = deliverer
        self._chores = chores
        self._stop = threading.Event()

    def run(self) -> None:
        """Work until a signal asks to stop."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        log.info("worker_started", worker=self._name, mode=MODE)
        # A daemon: a sweep through a large folder is not waited for.
        threading.Thread(target=self._do_chores, name="chores", daemon=True).start()
        while not self._stop.is_set():
            self._deliver()
        if not self._deliverer.wait_until_idle(TRIES_END_WITHIN_S):
            log.warning("tries_left_behind")  # they are made again when their lease is over
        leave(self._redis, self._name)
        self._database.dispose()
        log.info("worker_stopped", worker=self._name)

    def _deliver(self) -> None:
        try:
            n_begun = self._deliverer.step()
        except Unavailable as error:
            log.warning("deliveries_put_off", service=error.params["service"])
            n_begun = 0
        if not n_begun:
            self._deliverer.wait_for_end(LOOK_EVERY_S)

    def _do_chores(self) -> None:
        while not self._stop.is_set():
            for chore in self._chores:
                if time.monotonic() >= chore.due_at:
                    self._do(chore)
            self._announce()
            self._stop.wait(ANNOUNCE_EVERY_S)

    def _do(self, chore: Chore) -> None:
        chore.due_at = time.monotonic() + chore.every_s
        try:
            n_done = chore.do()
        except Unavailable as error:
            log.warning("chore_put_off", chore=chore.name, service=error.params["service"])
        except Exception:  # a chore that fails must not keep the others from being done
            log.exception("chore_failed", chore=chore.name)
        else:
            if n_done:
                log.info("chore_done", chore=chore.name, n=n_done)

    def _announce(self) -> None:
        tries = self._deliverer.tries()
        announce(self._redis, WorkerPresence(name=self._name, mode=MODE, slots=0, busy=0, tries=tries))

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stop.set()


def build_maintenance(config: WorkerConfig) -> Maintenance:
    """Put it together; connects to nothing yet."""
    database = Database(_engine(config))
    secret = config.webhook_secret or kept_secret(config.var_dir / "secrets" / "webhook.key")
    deliverer = Deliverer(DeliveryLedger(database), Courier(build_outbound(config), key_of(secret)))
    storage, client = FolderStorage(config.storage_dir), connect(config.redis_url)
    keeping = Keeping(config.retention_s, config.audio_retention_s)
    retention = Retention(database, Removal(database, storage, EventLog(client)), keeping)
    narrator = Narrator(EventLog(client))
    chores = [
        *_chores(database, storage),
        Chore("retention", config.retention_every_s, retention.sweep),
        Chore(
            "unconnected_sessions",
            UNCONNECTED_EVERY_S,
            lambda: give_up_unconnected(database, narrator, config.stream_connect_s),
        ),
    ]
    return Maintenance(worker_name(uuid4().hex[:6]), database, client, deliverer, chores)


def _chores(database: Database, storage: FolderStorage) -> list[Chore]:
    def forget_keys() -> int:
        with database.work() as work:
            return forget_expired(work)

    return [
        Chore("uploads", SWEEP_EVERY_S, lambda: storage.sweep_incoming(UPLOAD_IS_DEAD_AFTER_S)),
        Chore("idempotency_keys", SWEEP_EVERY_S, forget_keys),
        Chore("orphans", SWEEP_EVERY_S, lambda: remove_orphans(database, storage, ORPHAN_IS_OLDER_THAN_S)),
    ]


def _engine(config: WorkerConfig) -> Engine:
    return create_engine(
        with_driver(config.database_url),
        pool_size=4,
        # What cannot be written must not be shown either: URLs may hold signatures.
        hide_parameters=True,
        connect_args={
            **LOST_PEER,
            "connect_timeout": 3,
            "connection_factory": patient(35.0),
            "application_name": "parloir-maintenance",
            "options": limited(30),
        },
    )
