"""Workers that are killed, stopped, hung, starved and told to go, at the worst moment: nothing is lost."""

import os
import signal
import tempfile
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select

from app.audio.sound import RATE_HZ
from app.domain.job import JobOptions
from app.models import JobPart, JobTranscript
from app.services.jobs.views import options_to_dict
from tests.factories import House
from tests.faults.checker import late_restarts, restarts_s
from tests.workers import Site, children_of, stop, wait_for, write_speechlike


@pytest.fixture(scope="module")
def recording():
    with tempfile.TemporaryDirectory() as folder:
        yield write_speechlike(Path(folder) / "speech.wav", 12.0)


@pytest.fixture
def site(house, postgres_url, redis_url, tmp_path, recording):
    return Site(postgres_url, redis_url, tmp_path)


@pytest.fixture
def submit(house: House, site: Site, recording: Path):
    """Queue a job whose engine does what `prompt` says."""

    def submit(prompt: str = "", **columns) -> str:
        options = options_to_dict(JobOptions(engine="scripted", model="v1", prompt=prompt or None))
        key = site.store(recording)
        return house.add_job(options=options, audio_key=key, **columns)

    return submit


def state(house: House, job_id: str) -> str:
    return house.row(job_id).state


def ended(house: House, job_id: str, timeout_s: float = 30.0):
    """The job's row once it has ended."""
    wait_for(lambda: house.row(job_id).finished_at, timeout_s)
    return house.row(job_id)


def heard_something(site: Site):
    return wait_for(lambda: site.heard)


def running(house: House, job_id: str):
    return wait_for(lambda: house.row(job_id).state == "PROCESSING")


def test_a_job_runs_to_its_end(house, site, submit):
    job_id = submit()
    with site.worker() as worker:
        row = ended(house, job_id)
        assert (row.state, row.engine, row.attempt, row.progress) == ("COMPLETED", "scripted", 1, 1.0), site.logs()
        assert stop(worker) == 0
    assert house.events.read(job_id, 0)[-1].type == "completed"


def test_a_killed_worker_is_replaced_and_its_child_goes_with_it(house, site, submit):
    job_id = submit("sleep:2")
    with site.worker() as first:
        running(house, job_id)
        children = children_of(first)
        first.kill()
        wait_for(lambda: not any(child.is_running() and child.status() != "zombie" for child in children))
        house.change(job_id, options=options_to_dict(JobOptions(engine="scripted", model="v1")))
        with site.worker():
            row = ended(house, job_id)
    assert (row.state, row.attempt, row.crashes) == ("COMPLETED", 2, 1)


def test_a_lost_run_begins_again_within_a_lease_and_two_ticks(house, site, submit):
    with site.worker() as one, site.worker() as other:
        wait_for(lambda: children_of(one) and children_of(other))
        wait_for(lambda: site.logs().count("worker_started") == 2)
        job_id = submit("sleep:60")
        running(house, job_id)
        wait_for(lambda: house.row(job_id).beat >= 2)
        (one if f":{one.pid}:" in house.row(job_id).worker else other).kill()
        wait_for(lambda: house.row(job_id).attempt == 2)
    assert len(restarts_s(house)) == 1
    assert late_restarts(house, lease_s=1.5, tick_s=0.3, allowance_s=5.0) == []
    assert late_restarts(house, lease_s=0.0, tick_s=0.3, allowance_s=0.0), "it was accused before its lease was over"


def test_a_killed_child_costs_one_crash_and_the_worker_goes_on(house, site, submit):
    job_id = submit("sleep:1")
    with site.worker() as worker:
        running(house, job_id)
        wait_for(lambda: children_of(worker))[0].kill()
        row = ended(house, job_id)
        assert worker.poll() is None
    assert (row.state, row.attempt, row.crashes) == ("COMPLETED", 2, 1)


def test_poison_is_run_exactly_three_times_and_its_neighbours_are_unharmed(house, site, submit):
    poison, neighbour = submit("crash"), submit()
    with site.worker():
        row = ended(house, poison)
        assert ended(house, neighbour).state == "COMPLETED"
    assert (row.state, row.error_code, row.attempt, row.crashes) == ("FAILED", "poisoned", 3, 3)


def test_a_hanging_child_is_ended_by_the_watchdog(house, site, submit):
    site.settings["STALL_S"] = "1"
    job_id = submit("hang", crashes=2)
    with site.worker():
        row = ended(house, job_id)
    assert (row.state, row.error_code) == ("FAILED", "poisoned")


def test_a_child_that_eats_memory_is_ended_before_the_machine_suffers(house, site, submit):
    site.settings["CHILD_MAX_RSS_MB"] = "600"
    job_id = submit("eat", crashes=2)
    with site.worker():
        assert ended(house, job_id).error_code == "poisoned"
    assert "out of memory" in site.logs()


def test_a_failure_that_a_retry_may_help_is_tried_again_and_then_given_up(house, site, submit):
    site.settings["RETRY_BASE_S"] = "0.2"
    job_id = submit("fail")
    with site.worker():
        row = ended(house, job_id)
    assert (row.state, row.error_code, row.failures, row.attempt) == ("FAILED", "engine_error", 3, 3)


def test_a_failure_that_no_retry_can_help_fails_at_once(house, site, submit):
    job_id = submit("refuse")
    with site.worker():
        row = ended(house, job_id)
    assert (row.state, row.error_code, row.attempt) == ("FAILED", "engine_unavailable", 1)


def test_a_recording_that_is_gone_fails_at_once(house, site, submit):
    job_id = house.add_job(audio_key="f" * 32)
    with site.worker():
        row = ended(house, job_id)
    assert (row.state, row.error_code) == ("FAILED", "media_unreadable")


def test_a_running_job_is_cancelled_even_if_its_engine_does_not_listen(house, site, submit):
    job_id = submit("hang")
    with site.worker():
        running(house, job_id)
        house.change(job_id, cancel_requested=True)
        row = ended(house, job_id)
    assert row.state == "CANCELLED"


def test_sigterm_lets_a_short_job_finish(house, site, submit):
    site.settings["DRAIN_S"] = "20"
    job_id = submit("sleep:0.3")
    with site.worker() as worker:
        running(house, job_id)
        assert stop(worker, 30) == 0
    assert state(house, job_id) == "COMPLETED"


def test_sigterm_gives_a_long_job_back_without_spending_an_attempt(house, site, submit):
    job_id = submit("sleep:60")
    with site.worker() as worker:
        running(house, job_id)
        assert stop(worker) == 0
    row = house.row(job_id)
    assert (row.state, row.releases, row.failures, row.crashes) == ("QUEUED", 1, 0, 0)


def test_a_second_sigterm_gives_the_job_back_at_once(house, site, submit):
    site.settings["DRAIN_S"] = "60"
    job_id = submit("sleep:60")
    with site.worker() as worker:
        running(house, job_id)
        worker.send_signal(signal.SIGTERM)
        wait_for(lambda: "worker_drains" in site.logs())
        assert stop(worker) == 0
    assert house.row(job_id).releases == 1


def test_a_worker_that_was_frozen_past_its_lease_is_fenced(house, site, submit):
    job_id = submit("sleep:1.5")
    with site.worker() as zombie:
        running(house, job_id)
        os.kill(zombie.pid, signal.SIGSTOP)
        with site.worker():
            wait_for(lambda: house.row(job_id).attempt == 2)
            os.kill(zombie.pid, signal.SIGCONT)
            row = ended(house, job_id)
            wait_for(lambda: "fenced" in site.logs())
    assert (row.state, row.attempt, row.crashes) == ("COMPLETED", 2, 1)
    assert [event.type for event in house.events.read(job_id, 0)].count("completed") == 1


HOLDS_A_ROW = """
import sys, time
from sqlalchemy import create_engine, text
from config import WorkerConfig
from workers.assembly import connecting
connection = create_engine(**connecting(WorkerConfig.from_env())).connect()
connection.execute(text("SELECT FROM jobs FOR UPDATE"))
print("holds", file=sys.stderr, flush=True)
time.sleep(3600)
"""


@pytest.mark.long
def test_a_worker_frozen_in_the_middle_of_a_transaction_keeps_nothing_from_the_others(house, site, submit):
    job_id = submit()
    house.claim(job_id)
    with site.worker(program=("-c", HOLDS_A_ROW)) as zombie:
        wait_for(lambda: "holds" in site.logs())
        os.kill(zombie.pid, signal.SIGSTOP)
        with site.worker():
            row = ended(house, job_id, 60)
    assert (row.state, row.attempt, row.crashes) == ("COMPLETED", 2, 1)


def test_jobs_run_while_redis_is_away(house, site, submit):
    site.redis_url = f"unix://{site.folder}/nobody.sock"
    job_id = submit()
    with site.worker():
        assert ended(house, job_id).state == "COMPLETED"


def test_a_job_whose_hint_was_never_offered_runs_all_the_same(house, site, submit):
    with site.worker() as worker:
        wait_for(lambda: children_of(worker))
        assert ended(house, submit()).state == "COMPLETED"


def test_several_slots_work_side_by_side(house, site, submit):
    jobs = [submit("sleep:1") for _ in range(2)]
    with site.worker("--concurrency", "2"):
        wait_for(lambda: [state(house, job_id) for job_id in jobs] == ["PROCESSING"] * 2)
        assert {ended(house, job_id).state for job_id in jobs} == {"COMPLETED"}


def test_a_later_run_goes_on_after_the_finished_parts(house, site, tmp_path):
    site.settings["PART_S"] = "10"
    key = site.store(write_speechlike(tmp_path / "long.wav", 45.0))
    options = options_to_dict(JobOptions(engine="scripted", model="v1", prompt="sleep:0.4"))
    job_id = house.add_job(options=options, audio_key=key)
    with site.worker() as first:
        wait_for(lambda: n_parts(house, job_id) >= 2)
        first.kill()
    n_heard_before = len(site.heard)
    kept = n_parts(house, job_id)
    with site.worker():
        row = ended(house, job_id)
    n_heard_after = len(site.heard) - n_heard_before
    assert row.state == "COMPLETED"
    assert kept >= 2
    assert n_heard_after + n_heard_before <= whole(house, job_id) + 2, "finished parts are not heard twice"


@pytest.mark.parametrize(
    ("seconds", "part_s"), [(120, 10), pytest.param(7200, 300, marks=[pytest.mark.long, pytest.mark.timeout(600)])]
)
def test_a_run_that_is_lost_at_four_fifths_goes_on_there(house, site, tmp_path, seconds, part_s):
    """What counts is how much sound the engine itself was given, by its own account."""
    site.settings |= {"PART_S": str(part_s), "MAX_CRASHES": "10"}
    key = site.store(write_speechlike(tmp_path / "long.wav", seconds, rate_hz=8000))
    options = options_to_dict(JobOptions(engine="scripted", model="v1", prompt="sleep:0.02"))
    job_id = house.add_job(options=options, audio_key=key)
    with site.worker() as first:
        wait_for(lambda: kept_s(house, job_id) >= 0.8 * seconds, 400)
        first.kill()
        first.wait()
    given_before_s, kept = site.given_s, kept_s(house, job_id)
    assert kept < seconds, "it was lost too late to be the fault that is meant"
    with site.worker():
        row = ended(house, job_id, 200)
    assert (row.state, row.attempt, row.crashes) == ("COMPLETED", 2, 1)
    assert row.duration_s == pytest.approx(seconds, abs=1)
    assert given_before_s >= kept * 0.5, "the engine is given what may be speech, most of such a recording"
    assert site.given_s - given_before_s <= seconds - kept + 1, "nothing of a finished part is given to it again"


def kept_s(house: House, job_id: str) -> float:
    """How much of the recording lies in finished parts."""
    with house.database.work() as work:
        end = work.session.scalar(select(func.max(JobPart.end_sample)).where(JobPart.job_id == UUID(job_id)))
    return (end or 0) / RATE_HZ


def test_a_worker_that_stops_keeps_what_it_has_done_of_a_part(house, site, tmp_path):
    site.settings["DRAIN_S"] = "3"
    key = site.store(write_speechlike(tmp_path / "long.wav", 60.0))
    options = options_to_dict(JobOptions(engine="scripted", model="v1", prompt="sleep:0.4"))
    job_id = house.add_job(options=options, audio_key=key)
    with site.worker() as first:
        wait_for(lambda: len(site.heard) >= 2)
        stop(first)
    assert (house.row(job_id).state, n_parts(house, job_id)) == ("QUEUED", 1)
    house.change(job_id, options=options_to_dict(JobOptions(engine="scripted", model="v1")))
    with site.worker():
        assert ended(house, job_id).state == "COMPLETED"
    assert len(site.heard) <= whole(house, job_id) + 1, "only the span that was being heard is heard again"


def n_parts(house: House, job_id: str) -> int:
    with house.database.work() as work:
        return work.session.scalar(select(func.count()).where(JobPart.job_id == UUID(job_id)))


def whole(house: House, job_id: str) -> int:
    """How many spans the whole recording has: the scripted engine hears one segment in each."""
    with house.database.work() as work:
        return len(work.session.get_one(JobTranscript, UUID(job_id)).segments)
