"""Everything the API can do, put together once."""

from dataclasses import dataclass
from pathlib import Path

import redis
from sqlalchemy import Engine

from app.domain.job import Mode
from app.engines.diarizers import build_diarizers
from app.engines.registry import Registry, build_registry
from app.queues.connection import connect
from app.queues.events import EventLog
from app.queues.hints import HintQueue
from app.queues.hub import EventHub
from app.queues.live_input import LiveInput
from app.queues.live_output import LiveFeed
from app.services.database import Database
from app.services.delivery.deliveries import Deliveries
from app.services.health import HealthCheck
from app.services.jobs.catalogue import Catalogue
from app.services.jobs.control import Control
from app.services.jobs.dead import DeadLetters
from app.services.jobs.idempotency import IdempotencyKeys
from app.services.jobs.narrator import Narrator
from app.services.jobs.submission import Defaults, Submissions
from app.services.jobs.watch import Watch
from app.services.media.folder import FolderStorage, Offload
from app.services.operations.overview import Operations
from app.services.streaming.admission import Admission
from app.services.streaming.gateway import Gateway
from app.services.streaming.sessions import Sessions


@dataclass(frozen=True, slots=True)
class Services:
    """The services of the API process."""

    storage: FolderStorage
    registry: Registry
    submissions: Submissions
    idempotency: IdempotencyKeys
    catalogue: Catalogue
    control: Control
    dead: DeadLetters
    deliveries: Deliveries
    watch: Watch
    health: HealthCheck
    operations: Operations
    sessions: Sessions
    gateway: Gateway
    redis: "redis.Redis"


LIVE_WITHIN_S = 2.0
"""How long Redis may take over sound: longer than over hints, for a process that serves hundreds of sockets may be late
itself, and what it takes for silence holds up all of them."""


def build_services(
    engine: Engine,
    *,
    redis_url: str,
    storage_dir: Path,
    weights_dir: Path,
    defaults: Defaults,
    offload: Offload,
    stream_project_max: int | None = None,
    stream_idle_s: float = 60.0,
    hf_token: str | None = None,
) -> Services:
    """Put the services together; connects to nothing yet."""
    database = Database(engine)
    client, live_client = connect(redis_url), connect(redis_url, timeout_s=LIVE_WITHIN_S)
    queues = {mode: HintQueue(client, mode) for mode in Mode}
    storage = FolderStorage(storage_dir, offload)
    registry, diarizers = build_registry(weights_dir), build_diarizers(weights_dir, hf_token)
    events = EventLog(client)
    narrator = Narrator(events)
    catalogue = Catalogue(database, storage, queues)
    control = Control(database, storage, queues, events, narrator)
    sessions = Sessions(
        database, registry, queues[Mode.STREAMING], narrator, Admission(live_client, stream_project_max), defaults
    )
    return Services(
        storage=storage,
        registry=registry,
        submissions=Submissions(database, storage, registry, queues, defaults, diarizers),
        idempotency=IdempotencyKeys(client),
        catalogue=catalogue,
        control=control,
        dead=DeadLetters(database, control),
        deliveries=Deliveries(database),
        watch=Watch(catalogue, events, EventHub(connect(redis_url, read_timeout_s=30.0))),
        health=HealthCheck(database, client, queues),
        operations=Operations(database, client, queues, storage),
        sessions=sessions,
        gateway=Gateway(
            sessions,
            catalogue,
            LiveInput(live_client),
            lambda name: LiveFeed(connect(redis_url, read_timeout_s=30.0), name),
            stream_idle_s,
        ),
        redis=client,
    )
