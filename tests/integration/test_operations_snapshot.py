"""What an operator sees is what is so, and looking costs little."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import create_engine, insert, text
from sqlalchemy.dialects import postgresql

from app.domain.errors import ChildDied, EngineError, EngineUnavailable
from app.domain.job import Mode
from app.models import Job, JobError
from app.queues.connection import connect
from app.queues.hints import Hint, HintQueue
from app.queues.presence import WorkerPresence, announce
from app.services.database import Database
from app.services.health import COUNTS
from app.services.media.folder import FolderStorage
from app.services.operations.overview import Operations
from app.services.operations.recent import ENDED, PENDING, RUN_ERRORS, RUNS, WAITS
from tests.factories import House, make_transcript

N_OLD = 10_000


@pytest.fixture
def operations(house: House, tmp_path):
    queues = {mode: HintQueue(house.client, mode) for mode in Mode}
    return Operations(house.database, house.client, queues, FolderStorage(tmp_path / "not" / "there" / "yet"))


def batch(operations: Operations):
    return next(queue for queue in operations.snapshot().queues if queue.mode == "batch")


def test_a_job_without_a_hint_is_drift(house: House, operations: Operations):
    job_id = house.add_job()
    house.add_job()
    house.queue.offer(Hint(job_id, "default", 1, 1.0))
    queue = batch(operations)
    assert (queue.waiting, queue.hints, queue.drift) == (2, 1, 1)
    assert queue.oldest_s > 0


def test_a_job_that_waits_for_its_retry_is_no_drift(house: House, operations: Operations):
    house.add_job(run_at=datetime.now(UTC) + timedelta(hours=1))
    queue = batch(operations)
    assert (queue.waiting, queue.drift, queue.oldest_s) == (1, 0, 0.0)


def test_waits_are_from_due_to_the_first_claim(house: House, operations: Operations):
    now = datetime.now(UTC)
    for wait_s in (10, 20, 30):
        house.claim(house.add_job(run_at=now - timedelta(seconds=wait_s)))
    done = house.claim(house.add_job(run_at=now - timedelta(seconds=40)))
    house.endings.complete(done, make_transcript())
    queue = batch(operations)
    assert queue.n_started == 4
    assert (queue.wait_p50_s, queue.wait_p99_s) == (pytest.approx(25, abs=3), pytest.approx(40, abs=3))


def test_a_second_run_does_not_count_as_a_wait(house: House, operations: Operations):
    job = house.claim(house.add_job())
    house.endings.release(job)
    house.claim(job.id)
    assert batch(operations).n_started == 0


def test_a_run_that_no_longer_beats_shows_its_age(house: House, operations: Operations):
    silent, lively = house.claim(house.add_job()), house.claim(house.add_job())
    for job in (silent, lively):
        house.change(job.id, beat_at=datetime.now(UTC) - timedelta(seconds=60))
    house.claims.beat(lively, 0.5, None)
    ages = {run.job_id: run.beat_age_s for run in operations.snapshot().runs}
    assert ages == {silent.id: pytest.approx(60, abs=5), lively.id: pytest.approx(0, abs=5)}
    assert batch(operations).beat_age_s == pytest.approx(60, abs=5)


def test_runs_tell_who_does_what(house: House, operations: Operations):
    job = house.claim(house.add_job())
    house.claims.beat(job, 0.25, None)
    (run,) = operations.snapshot().runs
    assert (run.job_id, run.mode, run.attempt, run.progress, run.worker) == (job.id, "batch", 1, 0.25, "test-worker")


def test_the_last_hour_tells_ends_failures_crashes_and_poison(house: House, operations: Operations):
    house.endings.complete(house.claim(house.add_job()), make_transcript())
    house.endings.fail(house.claim(house.add_job()), EngineUnavailable(engine="x", reason="y"))
    house.endings.fail(house.claim(house.add_job()), EngineError(reason="helped by a retry"))
    house.endings.crash(house.claim(house.add_job(crashes=2)), ChildDied(reason="x"))
    long_ago = house.claim(house.add_job())
    house.endings.complete(long_ago, make_transcript())
    house.change(long_ago.id, finished_at=datetime.now(UTC) - timedelta(hours=2))
    hour = operations.snapshot().last_hour
    assert hour.ended == {"COMPLETED": 1, "FAILED": 2, "CANCELLED": 0}
    assert hour.failed == {"engine_unavailable": 1, "poisoned": 1}
    assert (hour.crashes, hour.poisoned) == (1, 1)
    assert [(one.kind, one.code, one.n) for one in hour.run_errors] == [
        ("crash", "child_died", 1),
        ("failure", "engine_error", 1),
        ("failure", "engine_unavailable", 1),
    ]


def test_a_diarization_that_failed_with_its_half_counts_once(house: House, operations: Operations):
    parent_id = house.add_job(mode="diarization")
    half = house.claim(house.add_job(parent_id=UUID(parent_id)))
    house.endings.fail(half, EngineUnavailable(engine="x", reason="y"))
    house.endings.fail(house.claim(parent_id), EngineUnavailable(engine="x", reason="y"))
    assert operations.snapshot().last_hour.failed == {"engine_unavailable": 1}


def test_fenced_writes_of_all_workers_are_added_up(house: House, operations: Operations):
    for name, fenced in (("a:1:x", 2), ("b:1:y", 3)):
        announce(house.client, WorkerPresence(name, "batch", 1, 0, fenced=fenced))
    assert operations.snapshot().fenced == 5


def test_what_is_still_to_be_delivered_is_told_with_how_long_it_is_overdue(house: House, operations: Operations):
    urls = [f"https://hooks.test/{n}" for n in range(3)]
    for url in urls:
        house.endings.complete(house.claim(house.add_job(callback_url=url)), make_transcript())
    with house.database.work() as work:
        work.session.execute(text("UPDATE deliveries SET state = 'DELIVERED' WHERE url = :url"), {"url": urls[0]})
        work.session.execute(
            text("UPDATE deliveries SET next_at = now() - interval '1 minute' WHERE url = :url"), {"url": urls[1]}
        )
    told = operations.snapshot().deliveries
    assert (told.n, told.overdue_s) == (2, pytest.approx(60, abs=5))


def test_the_disk_of_the_recordings_is_told_before_its_folder_is_there(operations: Operations):
    storage = operations.snapshot().storage
    assert 0 < storage.free_bytes <= storage.total_bytes


def test_without_redis_hints_and_drift_are_unknown(house: House):
    away = connect("redis://127.0.0.1:1")
    snapshot = Operations(house.database, away, {mode: HintQueue(away, mode) for mode in Mode}).snapshot()
    assert (snapshot.database, snapshot.redis) == (True, False)
    assert {(queue.hints, queue.drift) for queue in snapshot.queues} == {(None, None)}


def test_without_the_database_the_workers_are_still_told(house: House):
    announce(house.client, WorkerPresence("a:1:x", "batch", 1, 0))
    away = Database(create_engine("postgresql+psycopg2://127.0.0.1:1/none"))
    snapshot = Operations(away, house.client, {mode: HintQueue(house.client, mode) for mode in Mode}).snapshot()
    assert (snapshot.database, snapshot.redis, snapshot.queues) == (False, True, ())
    assert [worker.name for worker in snapshot.workers] == ["a:1:x"]


@pytest.fixture
def history(house: House):
    """10,000 jobs that ended long ago, as many errors, and a few that wait and run."""
    template_id = house.add_job()
    house.queue.drop(template_id)
    with house.database.work() as work:
        row = work.session.get(Job, template_id)
        columns = {c.key: getattr(row, c.key) for c in Job.__mapper__.column_attrs if getattr(row, c.key) is not None}
        ended = datetime.now(UTC) - timedelta(days=3)
        ids = [uuid4() for _ in range(N_OLD)]
        past = {**columns, "state": "COMPLETED", "started_at": ended, "run_at": ended, "finished_at": ended}
        work.session.execute(insert(Job), [{**past, "id": one} for one in ids])
        error = {"attempt": 1, "kind": "failure", "code": "engine_error", "message": "x", "at": ended}
        work.session.execute(insert(JobError), [{**error, "job_id": one} for one in ids])
    for _ in range(5):
        house.claim(house.add_job())
    with house.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE jobs, job_errors"))


@pytest.mark.usefixtures("history")
def test_no_statement_reads_the_whole_history(house: House):
    for statement in (COUNTS, WAITS, RUNS, ENDED, RUN_ERRORS, PENDING):
        sql = statement.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})
        with house.engine.connect() as connection:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")  # a small table is read whole if it may be
            plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN {sql}".replace("%", "%%")).scalars())
        assert "Seq Scan" not in plan, f"{sql}\n{plan}"
