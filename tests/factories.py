"""Makers of things that tests need: each shows only the argument that matters."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import redis
from sqlalchemy import Engine, create_engine, select, update

from app.domain.job import JobOptions, Mode, Priority
from app.domain.states import JobState
from app.domain.transcript import Segment, Transcript
from app.helpers.database_url import with_driver
from app.models import Job, Project
from app.queues.connection import connect
from app.queues.events import EventLog
from app.queues.hints import HintQueue
from app.services.database import Database, Unhurried
from app.services.jobs.claimed import ClaimedJob
from app.services.jobs.claims import Claims
from app.services.jobs.endings import Endings, RetryPolicy
from app.services.jobs.narrator import Narrator
from app.services.jobs.views import options_to_dict


@dataclass
class House:
    """The job table and the queues, with what workers use to move jobs about."""

    engine: Engine
    database: Database
    client: "redis.Redis"
    events: EventLog
    narrator: Narrator
    queue: HintQueue
    claims: Claims
    endings: Endings

    def add_job(self, **fields: Any) -> str:
        """A queued batch job; `fields` are columns."""
        row = {
            "id": uuid4(),
            "project_id": "default",
            "mode": Mode.BATCH.value,
            "state": JobState.QUEUED.value,
            "priority": Priority.NORMAL.rank,
            "options": options_to_dict(JobOptions()),
            "meta": {},
            "filename": "a.wav",
            "content_type": "audio/wav",
            "size_bytes": 1,
            "sha256": "0" * 64,
            "audio_key": uuid4().hex,
            "estimated_s": 1.0,
            **fields,
        }
        with self.database.work() as work:
            if work.session.get(Project, row["project_id"]) is None:
                work.session.add(Project(id=row["project_id"], name=row["project_id"]))
                work.session.flush()
            work.session.add(Job(**row))
        return str(row["id"])

    def row(self, job_id: str) -> Job:
        """The job's row as it stands."""
        with self.database.work() as work:
            return work.session.scalars(select(Job).where(Job.id == UUID(job_id))).one()

    def change(self, job_id: str, **columns: Any) -> None:
        """Write columns of a job behind everybody's back."""
        with self.database.work() as work:
            work.session.execute(update(Job).where(Job.id == UUID(job_id)).values(**columns))

    def claim(self, job_id: str) -> ClaimedJob:
        """Claim a job that is due."""
        job = self.claims.claim(job_id, uuid4())
        assert job is not None
        self.claims.tell(job)
        return job


def make_house(postgres_url: str, redis_url: str, policy: RetryPolicy | None = None) -> House:
    """The real thing, on a real PostgreSQL and a real Redis."""
    engine = create_engine(with_driver(postgres_url), pool_size=3)
    database, client = Database(engine), connect(redis_url, read_timeout_s=5)
    events = EventLog(client)
    narrator = Narrator(events)
    return House(
        engine=engine,
        database=database,
        client=client,
        events=events,
        narrator=narrator,
        queue=HintQueue(client, Mode.BATCH),
        claims=Claims(database, Unhurried(with_driver(postgres_url)), narrator, "test-worker"),
        endings=Endings(database, narrator, "test-worker", policy or RetryPolicy()),
    )


def make_transcript(text: str = "hello there") -> Transcript:
    """A transcript of one segment."""
    segment = Segment(0, 0.0, 1.5, text, 0.9)
    return Transcript((segment,), (), "en", 2.0, "scripted", "v1")
