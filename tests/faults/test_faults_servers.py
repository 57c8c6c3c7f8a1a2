"""Servers that die, hang, fill up and lie, and networks that lose answers: nothing is lost, nothing is done twice."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from urllib.parse import quote

import httpx
import psutil
import pytest
from sqlalchemy import create_engine

from app.domain.errors import Unavailable
from app.domain.job import JobOptions, Mode
from app.services.database import Database, Unhurried
from app.services.jobs.idempotency import HOLD_S
from app.services.jobs.reconciler import drift
from app.services.jobs.views import options_to_dict
from app.services.statements import Statement
from tests.faults.checker import at_rest, broken_promises, broken_rules
from tests.faults.estate import NOBODY, Estate, accepted_id, make_estate, serving_process
from tests.faults.proxy import Proxy
from tests.http_api import CREATE
from tests.workers import wait_for, write_speechlike

CLAIM = b"SET state='PROCESSING'"
RESULT = b"INSERT INTO job_transcripts"
COMMIT = b"COMMIT"
WAIT_FOR_DISK = b"pg_logical_emit_message"


@pytest.fixture(scope="module")
def running_estate():
    with make_estate() as estate:
        yield estate


@pytest.fixture(scope="module")
def running_api(running_estate: Estate):
    with running_estate.api() as api:
        yield api


@pytest.fixture
def estate(running_estate: Estate):
    running_estate.begin_anew()
    return running_estate


@pytest.fixture
def api(estate: Estate, running_api):
    return running_api


@pytest.fixture
def postgres_proxy(estate: Estate):
    with Proxy(estate.folder / ".s.PGSQL.5432", Path(estate.postgres._sockets) / ".s.PGSQL.5432") as proxy:
        yield proxy
    (estate.folder / ".s.PGSQL.5432").unlink()


@pytest.fixture
def redis_proxy(estate: Estate):
    with Proxy(estate.folder / "redis.sock", Path(estate.redis._socket)) as proxy:
        yield proxy
    (estate.folder / "redis.sock").unlink()


def proxied_postgres(estate: Estate) -> str:
    return f"postgresql+psycopg2://parloir@/parloir?host={quote(str(estate.folder), safe='')}"


def proxied_redis(estate: Estate) -> str:
    return f"unix://{estate.folder}/redis.sock?db=0"


def check(estate: Estate, *accepted: str, n_unanswered: int = 0) -> None:
    """All has come to rest, and every promise was kept."""
    wait_for(at_rest(estate.house), 25)
    assert broken_rules(estate.house) == [], estate.site.logs()
    assert broken_promises(estate.house, accepted, estate.storage, n_unanswered=n_unanswered) == []


def n_jobs(estate: Estate) -> int:
    with estate.house.engine.connect() as connection:
        return connection.exec_driver_sql("SELECT count(*) FROM jobs").scalar()


def final_events(estate: Estate, job_id: str) -> list[str]:
    told = [event.type for event in estate.house.events.read(job_id, 0)]
    return [kind for kind in told if kind in {"completed", "failed"}]


def test_a_job_runs_though_its_api_died_between_commit_and_offer(estate: Estate, redis_proxy):
    with estate.api(REDIS_URL=proxied_redis(estate)) as api:
        redis_proxy.swallow()
        threading.Thread(target=lambda: _ask_in_vain(estate, api), daemon=True).start()
        wait_for(lambda: n_jobs(estate) == 1)
        serving_process(api).kill()
        assert estate.house.queue.depth() == 0, "it was killed too late to be the fault that is meant"
    with estate.site.worker():
        check(estate)
    assert n_jobs(estate) == 1


def _ask_in_vain(estate: Estate, api) -> None:
    with suppress(httpx.TransportError):
        estate.submit(api)


def test_a_job_runs_once_though_its_api_died_before_the_202(estate: Estate, postgres_proxy):
    """The worst moment: a worker knows of the job already, and the disk is still waited for."""
    with estate.api(DATABASE_URL=proxied_postgres(estate)) as api:
        postgres_proxy.lose_answer(to=WAIT_FOR_DISK, meanwhile=serving_process(api).kill)
        with pytest.raises(httpx.TransportError):
            estate.submit(api, key="once")
        assert estate.house.queue.depth() == 1
        asked = [estate.submit(api, key="once")]  # while the first request holds the key, that is told as a conflict
        wait_for(lambda: asked[-1].status_code == 202 or asked.append(estate.submit(api, key="once")))
        job = accepted_id(asked[-1])
    assert n_jobs(estate) == 1
    with estate.site.worker():
        check(estate, job, n_unanswered=1)


@pytest.mark.long
def test_hints_that_are_never_offered_cost_time_only(estate: Estate):
    with estate.api(REDIS_URL=NOBODY) as deaf, estate.site.worker():
        jobs = [estate.submitted(deaf) for _ in range(3)]
        check(estate, *jobs)


@pytest.mark.parametrize("how", ["gone", "silent", "full"])
def test_jobs_are_taken_in_within_a_second_without_redis(estate: Estate, api, how):
    break_redis(estate, how)
    try:
        took_s = [seconds_of_a_submission(estate, api) for _ in range(3)]
    finally:
        mend_redis(estate, how)
    assert sorted(took_s)[1] < 1.0, took_s
    assert n_jobs(estate) == 3
    with estate.site.worker():
        check(estate)


@pytest.mark.parametrize(
    "away_s", [4, pytest.param(60, marks=[pytest.mark.long, pytest.mark.timeout(600)])], ids=["seconds", "a minute"]
)
def test_jobs_are_taken_in_all_the_while_redis_is_gone_and_hints_are_there_soon_after(estate: Estate, api, away_s):
    tick_s = 1.0
    estate.site.settings["TICK_S"] = str(tick_s)
    with estate.site.worker():
        wait_for(lambda: "worker_started" in estate.site.logs())
        estate.kill_redis()
        jobs, took_s = submissions(estate, api, for_s=away_s, every_s=0.5 if away_s < 60 else 1.0)
        estate.revive_redis()
        assert drift(estate.house.database, estate.house.queue, Mode.BATCH) > 0, "nothing is left to be healed"
        healed_s = time.monotonic()
        wait_for(lambda: drift(estate.house.database, estate.house.queue, Mode.BATCH) == 0)
        assert time.monotonic() - healed_s < 2 * tick_s + 5, "two ticks, and what a busy machine takes"
        wait_for(at_rest(estate.house), 60 + 3 * len(jobs))
        check(estate, *jobs)
    assert sorted(took_s)[int(0.9 * len(took_s))] < 1.0, took_s


def submissions(estate: Estate, api, for_s: float, every_s: float) -> tuple[list[str], list[float]]:
    """One after the other, each work for more than `every_s`: the jobs, and how long each answer took."""
    jobs, took_s = [], []
    end_s = time.monotonic() + for_s
    while time.monotonic() < end_s:
        begun_s = time.monotonic()
        jobs.append(estate.submitted(api, f"sleep:{1.2 * every_s}"))
        took_s.append(time.monotonic() - begun_s)
        time.sleep(max(0.0, every_s - took_s[-1]))
    return jobs, took_s


def seconds_of_a_submission(estate: Estate, api) -> float:
    time.sleep(1.1)  # no two share a wait
    begun_s = time.monotonic()
    accepted_id(estate.submit(api, key=str(begun_s)))
    return time.monotonic() - begun_s


def break_redis(estate: Estate, how: str) -> None:
    {"gone": estate.kill_redis, "silent": lambda: estate.signal_redis(signal.SIGSTOP), "full": estate.fill_redis}[how]()


def mend_redis(estate: Estate, how: str) -> None:
    {
        "gone": estate.revive_redis,
        "silent": lambda: estate.signal_redis(signal.SIGCONT),
        "full": estate.empty_redis,
    }[how]()


@pytest.mark.long
@pytest.mark.parametrize("how", ["gone", "silent", "full"])
def test_jobs_run_to_their_end_without_redis(estate: Estate, api, how):
    with estate.site.worker() as worker:
        wait_for(lambda: "worker_started" in estate.site.logs())
        break_redis(estate, how)
        try:
            jobs = [estate.submitted(api) for _ in range(2)]
            wait_for(at_rest(estate.house), 25)
        finally:
            mend_redis(estate, how)
        assert worker.poll() is None
        check(estate, *jobs)


@pytest.mark.long
def test_hints_are_restored_after_a_flush(estate: Estate, api):
    jobs = [estate.submitted(api) for _ in range(5)]
    estate.house.client.flushall()
    assert drift(estate.house.database, estate.house.queue, Mode.BATCH) == 5
    with estate.site.worker():
        wait_for(lambda: drift(estate.house.database, estate.house.queue, Mode.BATCH) == 0)
        check(estate, *jobs)


def test_postgres_crashes_while_jobs_run(estate: Estate, api):
    estate.site.settings["MAX_CRASHES"] = "10"
    jobs = [estate.submitted(api, "sleep:0.5") for _ in range(4)]
    with estate.site.worker("--concurrency", "2"):
        for _ in range(2):
            wait_for(lambda: any(estate.house.row(job).state == "PROCESSING" for job in jobs))
            estate.restart_postgres()
        check(estate, *jobs)
    rows = [estate.house.row(job) for job in jobs]
    assert [(row.state, row.failures) for row in rows] == [("COMPLETED", 0)] * 4


@pytest.mark.long
def test_postgres_crashes_in_the_middle_of_a_claim_and_of_a_result(estate: Estate, api, postgres_proxy):
    estate.site.settings["MAX_CRASHES"] = "10"
    estate.site.postgres_url = proxied_postgres(estate)
    with estate.site.worker():
        for n, statement in enumerate((CLAIM, RESULT, CLAIM, RESULT), start=1):
            postgres_proxy.lose_answer(to=statement, meanwhile=estate.crash_postgres)
            first = estate.submit(api, key=f"job {n}")
            wait_for(lambda n=n: postgres_proxy.n_lost == n)
            estate.revive_postgres()
            # A worker begins while the disk is waited for. If the crash comes before the 202, the client asks again.
            job = accepted_id(first if first.status_code == 202 else estate.submit(api, key=f"job {n}"))
            check(estate, job, n_unanswered=n)
            assert (estate.house.row(job).state, estate.house.row(job).failures) == ("COMPLETED", 0)


@pytest.mark.long
def test_postgres_crashes_in_the_middle_of_the_commit_that_takes_a_job_in(estate: Estate, postgres_proxy):
    with estate.api(DATABASE_URL=proxied_postgres(estate)) as api:
        postgres_proxy.lose_answer(to=COMMIT, after=b"INSERT INTO idempotency_keys", meanwhile=estate.crash_postgres)
        assert estate.submit(api, key="once").status_code == 503
        estate.revive_postgres()
        job = accepted_id(estate.submit(api, key="once"))
    assert n_jobs(estate) == 1
    with estate.site.worker():
        check(estate, job, n_unanswered=1)


@pytest.mark.long
def test_the_api_takes_jobs_in_again_by_itself_after_postgres_was_away(estate: Estate, api):
    estate.submitted(api)
    estate.restart_postgres()
    job = estate.submitted(api)
    with estate.site.worker():
        check(estate, job)


def test_a_process_that_is_cut_off_at_its_first_connection_is_told_so_and_asks_again(estate: Estate, postgres_proxy):
    one = Statement("SELECT 1", {})
    for kind in (lambda url: Database(create_engine(url)), Unhurried):
        postgres_proxy.lose_answer(to=b"pg_catalog.version")
        database = kind(proxied_postgres(estate))
        with pytest.raises(Unavailable):
            database.rows(one, {})
        assert database.rows(one, {}) == [(1,)]
        database.dispose()
    assert postgres_proxy.n_lost == 2


@pytest.mark.long
def test_a_lost_answer_to_a_claim_costs_no_attempt(estate: Estate, api, postgres_proxy):
    estate.site.postgres_url = proxied_postgres(estate)
    postgres_proxy.lose_answer(to=CLAIM)
    with estate.site.worker():
        job = estate.submitted(api)
        check(estate, job)
    assert postgres_proxy.n_lost == 1
    assert outcome(estate, job) == ("COMPLETED", 1, 0)


def outcome(estate: Estate, job: str) -> tuple[str, int, int]:
    row = estate.house.row(job)
    return row.state, row.attempt, row.crashes


@pytest.mark.long
def test_a_lost_answer_to_a_claim_without_redis_costs_no_attempt(estate: Estate, api, postgres_proxy):
    estate.site.postgres_url, estate.site.redis_url = proxied_postgres(estate), NOBODY
    job = estate.submitted(api)
    postgres_proxy.lose_answer(to=CLAIM)
    with estate.site.worker():
        check(estate, job)
    assert postgres_proxy.n_lost == 1
    assert outcome(estate, job) == ("COMPLETED", 1, 0)


def test_a_lost_answer_to_a_completion_makes_one_result_and_one_event(estate: Estate, api, postgres_proxy):
    estate.site.postgres_url = proxied_postgres(estate)
    postgres_proxy.lose_answer(to=RESULT)
    with estate.site.worker():
        job = estate.submitted(api)
        check(estate, job)
        wait_for(lambda: final_events(estate, job))
    assert postgres_proxy.n_lost == 1
    assert outcome(estate, job) == ("COMPLETED", 1, 0)
    assert final_events(estate, job) == ["completed"]
    assert "ending_fenced" not in estate.site.logs()


def test_a_lost_answer_to_a_submission_makes_one_job_however_often_it_is_sent(estate: Estate, postgres_proxy):
    with estate.api(DATABASE_URL=proxied_postgres(estate)) as api:
        postgres_proxy.lose_answer(to=COMMIT, after=b"INSERT INTO idempotency_keys")
        first = estate.submit(api, key="once")
        assert (first.status_code, first.json()["code"]) == (503, "unavailable")
        again = estate.submit(api, key="once")
    job = accepted_id(again)
    assert (postgres_proxy.n_lost, n_jobs(estate)) == (1, 1)
    with estate.site.worker():
        check(estate, job)


@pytest.mark.long
def test_a_worker_that_is_cut_off_is_replaced_and_fenced_when_it_comes_back(estate: Estate, api, postgres_proxy):
    estate.site.postgres_url = proxied_postgres(estate)
    with estate.site.worker():
        job = estate.submitted(api, "sleep:2")
        wait_for(lambda: estate.house.row(job).state == "PROCESSING")
        postgres_proxy.swallow()
        estate.site.postgres_url = estate.postgres.url
        with estate.site.worker():
            wait_for(lambda: estate.house.row(job).attempt == 2)
            postgres_proxy.heal()
            wait_for(lambda: "fenced" in estate.site.logs())
            check(estate, job)
    assert outcome(estate, job) == ("COMPLETED", 2, 1)
    assert final_events(estate, job) == ["completed"]


@pytest.mark.long
def test_a_full_disk_takes_no_jobs_and_heals_by_itself(estate: Estate):
    with estate.api() as api:
        process = serving_process(api)
        usual = process.rlimit(psutil.RLIMIT_FSIZE)
        # Less than the recording, more than what the process writes beside it.
        process.rlimit(psutil.RLIMIT_FSIZE, (len(estate.recording) // 2, usual[1]))
        refused = estate.submit(api)
        assert (refused.status_code, refused.json()["code"]) == (503, "storage_full")
        assert n_jobs(estate) == 0
        assert [path for path in estate.storage.rglob("*") if path.is_file()] == []
        process.rlimit(psutil.RLIMIT_FSIZE, usual)
        job = estate.submitted(api)
    with estate.site.worker():
        check(estate, job)


def test_a_result_that_the_table_refuses_fails_its_job_and_not_the_worker(estate: Estate, api):
    estate.site.settings["RETRY_BASE_S"] = "0.1"
    with estate.site.worker() as worker:
        odd, neighbour = estate.submitted(api, "nan"), estate.submitted(api)
        check(estate, odd, neighbour)
        assert worker.poll() is None
    row = estate.house.row(odd)
    assert (row.state, row.error_code, row.attempt) == ("FAILED", "engine_error", 3)
    assert estate.house.row(neighbour).state == "COMPLETED"


def test_a_frozen_postgres_holds_up_no_run_for_long_and_costs_it_nothing(estate: Estate, api):
    estate.site.settings |= {"LEASE_S": "15", "BEAT_S": "1"}
    n_heard = len(estate.site.heard)
    with estate.site.worker():
        job = estate.submitted(api, "sleep:4")  # long enough for a beat
        wait_for(lambda: len(estate.site.heard) > n_heard)
        with frozen_postgres(estate):
            wait_for(lambda: "beat_missed" in estate.site.logs(), 20)
        check(estate, job)
    assert outcome(estate, job) == ("COMPLETED", 1, 0)
    assert "run_fenced" not in estate.site.logs()


@pytest.mark.long
def test_a_frozen_postgres_is_told_as_away_and_jobs_are_taken_in_again_when_it_wakes(estate: Estate, api):
    estate.submitted(api)
    with frozen_postgres(estate):
        refused = estate.submit(api, timeout=60.0)
        assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
        assert httpx.get(f"{api.url}/health/live", timeout=5).is_success
    job = estate.submitted(api)
    with estate.site.worker():
        check(estate, job, n_unanswered=1)


@pytest.mark.long
def test_an_idle_worker_outlives_a_frozen_postgres(estate: Estate, api):
    with estate.site.worker() as worker:
        check(estate, estate.submitted(api))
        with frozen_postgres(estate):
            wait_for(lambda: "chore_put_off" in estate.site.logs(), 60)
        check(estate, estate.submitted(api))
        assert worker.poll() is None


@contextmanager
def frozen_postgres(estate: Estate) -> Iterator[None]:
    estate.signal_postgres(signal.SIGSTOP)
    try:
        yield
    finally:
        estate.signal_postgres(signal.SIGCONT)


def test_a_key_is_free_again_soon_after_its_api_process_was_killed(estate: Estate):
    with estate.api() as api:
        upload = SlowUpload(api, estate.recording * 20, key="mine")
        upload.go_on_for(HOLD_S + 1.5)
        assert estate.submit(api, key="mine").json()["code"] == "idempotency_key_in_use", "it is held while bytes come"
        serving_process(api).kill()
        killed_s = time.monotonic()
        wait_for(lambda: _is_taken_in(estate, api, "mine"), 20)
        assert time.monotonic() - killed_s < HOLD_S + 8, "the hold outlived its process by far"
        upload.close()
    assert n_jobs(estate) == 1


def _is_taken_in(estate: Estate, api, key: str) -> bool:
    try:
        return estate.submit(api, key=key).status_code == 202
    except httpx.TransportError:
        return False  # the next process is just being started


class SlowUpload:
    """A client whose recording comes a piece at a time, and never ends."""

    def __init__(self, api, recording: bytes, key: str) -> None:
        self._bytes = iter(recording)
        self._socket = api.connect()
        head = (
            f"POST {CREATE} HTTP/1.1\r\nHost: x\r\nIdempotency-Key: {key}\r\nContent-Length: {len(recording)}\r\n"
            "Content-Type: multipart/form-data; boundary=b\r\n\r\n"
            '--b\r\nContent-Disposition: form-data; name="audioFile"; filename="a.wav"\r\n\r\n'
        )
        self._socket.sendall(head.encode())

    def go_on_for(self, seconds: float) -> None:
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            self._socket.sendall(bytes(islice(self._bytes, 40_000)))
            time.sleep(0.1)

    def close(self) -> None:
        self._socket.close()


@pytest.mark.parametrize("key", [None, "once"])
def test_a_job_that_was_answered_202_outlives_a_crash_of_postgres(estate: Estate, api, key):
    with estate.unwritten_commits() as crash:
        job = accepted_id(estate.submit(api, key=key))
        crash()
    assert estate.house.row(job).state == "QUEUED"


def test_the_first_job_after_a_restart_of_postgres_is_taken_in(estate: Estate, api):
    estate.submitted(api)
    estate.restart_postgres()
    estate.submitted(api)


def test_an_answer_given_again_is_as_good_as_the_first(estate: Estate, postgres_proxy):
    with estate.api(DATABASE_URL=proxied_postgres(estate)) as api, estate.unwritten_commits() as crash:
        postgres_proxy.lose_answer(to=COMMIT, after=b"INSERT INTO idempotency_keys")
        assert estate.submit(api, key="once").status_code == 503
        job = accepted_id(estate.submit(api, key="once"))
        crash()
    assert estate.house.row(job).state == "QUEUED"


@pytest.mark.long
def test_a_run_that_has_told_something_is_not_forgotten_when_postgres_crashes(estate: Estate):
    """What PostgreSQL has not yet written to disk is held back, as on a machine whose disk is busy."""
    estate.site.settings |= {"LEASE_S": "10", "MAX_CRASHES": "10"}
    recording = write_speechlike(estate.folder / "long.wav", 60.0)
    options = options_to_dict(JobOptions(engine="scripted", model="v1", prompt="sleep:1"))
    with estate.site.worker():
        wait_for(lambda: "worker_started" in estate.site.logs())
        with estate.unwritten_commits() as crash:
            job = estate.house.add_job(options=options, audio_key=estate.site.store(recording))
            wait_for(lambda: [event for event in estate.house.events.read(job, 0) if event.type == "segment"])
            crash()
        row = estate.house.row(job)
        assert (row.state, row.attempt) == ("PROCESSING", 1)
        check(estate, job)
    assert outcome(estate, job) == ("COMPLETED", 1, 0)
