"""Jobs that are claimed ahead: none is lost, none is blamed for another, none waits behind a long one."""

from uuid import UUID

import psutil
import pytest
from sqlalchemy import select

from app.domain.job import JobOptions
from app.models import Job
from app.queues.hints import Hint
from app.services.jobs.views import options_to_dict
from tests.factories import House
from tests.workers import Site, stop, wait_for

INSTANT = ("-m", "tests.instant_worker")


@pytest.fixture
def site(house, postgres_url, redis_url, tmp_path):
    return Site(postgres_url, redis_url, tmp_path, {"MAX_CRASHES": "1"})


@pytest.fixture
def submit(house: House, site: Site, tmp_path):
    """Queue jobs, in this order, whose engine does at once what their prompt says."""
    recording = tmp_path / "a.wav"
    recording.write_bytes(b"RIFF")
    key = site.store(recording)

    def submit(*prompts: str, **columns) -> list[str]:
        options = [options_to_dict(JobOptions(prompt=prompt or None)) for prompt in prompts]
        ids = [house.add_job(options=one, audio_key=key, **columns) for one in options]
        house.queue.offer(*(Hint(job_id, "default", 1, 1.0) for job_id in ids))
        return ids

    return submit


def rows(house: House, ids: list[str]) -> list[Job]:
    with house.database.work() as work:
        known = {row.id: row for row in work.session.scalars(select(Job).where(Job.id.in_(map(UUID, ids))))}
    return [known[UUID(job_id)] for job_id in ids]


def all_ended(house: House, ids: list[str]) -> list[Job]:
    wait_for(lambda: all(row.finished_at for row in rows(house, ids)))
    return rows(house, ids)


def test_short_jobs_are_claimed_some_at_a_time_and_all_completed_once(house, site, submit):
    ids = submit(*[""] * 60)
    with site.worker(program=INSTANT) as worker:
        ended = all_ended(house, ids)
        assert stop(worker) == 0
    assert {(row.state, row.crashes, row.failures) for row in ended} == {("COMPLETED", 0, 0)}, site.logs()
    assert len({row.ended_by for row in ended}) < 50, "one token is of one claim"
    for job_id in ids:
        assert [event.type for event in house.events.read(job_id, -1)].count("completed") == 1


def test_a_crash_is_blamed_on_the_job_that_ran_and_not_on_those_claimed_ahead(house, site, submit):
    with site.worker(program=INSTANT):
        behind = some_that_a_crash_came_before(house, site, submit)
    assert any(row.releases == 1 for row in behind), "some were claimed ahead, and given back"


def some_that_a_crash_came_before(house, site, submit) -> list[Job]:
    """On a machine that has just been slow nothing is claimed ahead; it has some chances."""
    for _ in range(5):
        before, crashing, behind = submit(*[""] * 20), submit("crash"), submit(*[""] * 20)
        ended = all_ended(house, [*before, *behind])
        (blamed,) = all_ended(house, crashing)
        assert (blamed.state, blamed.error_code, blamed.crashes) == ("FAILED", "poisoned", 1), site.logs()
        assert {(row.state, row.crashes, row.failures) for row in ended} == {("COMPLETED", 0, 0)}
        if any(row.releases for row in ended[20:]):
            break
    return ended[20:]


def test_those_behind_a_job_that_takes_long_are_given_to_others_while_it_runs(house, site, submit):
    submit(*[""] * 20)
    (long,), behind = submit("sleep:90"), submit(*[""] * 10)
    with site.worker(program=INSTANT):
        wait_for(lambda: any(row.releases == 1 for row in rows(house, behind)))
        assert rows(house, [long])[0].state == "PROCESSING"
        with site.worker(program=INSTANT):
            ended = all_ended(house, behind)
            assert rows(house, [long])[0].state == "PROCESSING"
    assert {(row.state, row.crashes, row.failures) for row in ended} == {("COMPLETED", 0, 0)}, site.logs()


def test_a_worker_that_stops_gives_back_what_it_claimed_ahead(house, site, submit):
    site.settings["DRAIN_S"] = "20"
    submit(*[""] * 20)
    (long,), behind = submit("sleep:3"), submit(*[""] * 10)
    with site.worker(program=INSTANT) as worker:
        wait_for(lambda: rows(house, [long])[0].state == "PROCESSING")
        assert stop(worker) == 0
    assert rows(house, [long])[0].state == "COMPLETED", site.logs()
    assert {row.state for row in rows(house, behind)} == {"QUEUED"}


def test_a_long_recording_is_never_claimed_ahead_and_the_next_in_turn(house, site, submit):
    before, (long,), after = submit(*[""] * 20), submit("", estimated_s=600.0), submit(*[""] * 100)
    with site.worker(program=INSTANT):
        (alone, *others) = all_ended(house, [long, *before, *after])
    assert alone.ended_by not in {row.ended_by for row in others}, site.logs()
    assert len({row.ended_by for row in others}) < 60, "one token is of one claim"
    assert alone.started_at < max(row.started_at for row in others)


def test_a_result_that_cannot_be_stored_fails_alone(house, site, submit):
    good, (bad,), more = submit(*[""] * 15), submit("nan"), submit(*[""] * 15)
    with site.worker(program=INSTANT):
        ended = all_ended(house, [*good, *more])
        (refused,) = all_ended(house, [bad])
    assert {row.state for row in ended} == {"COMPLETED"}, site.logs()
    assert (refused.state, refused.error_code) == ("FAILED", "engine_error")


def test_a_killed_worker_leaves_nothing_it_claimed_ahead_behind(house, site, submit):
    site.settings["MAX_CRASHES"] = "3"
    ids = [*submit(*[""] * 20), *submit("sleep:2"), *submit(*[""] * 20)]
    with site.worker(program=INSTANT) as worker:
        wait_for(lambda: rows(house, ids[20:21])[0].state == "PROCESSING")
        psutil.Process(worker.pid).kill()
    with site.worker(program=INSTANT):
        ended = all_ended(house, ids)
    assert {row.state for row in ended} == {"COMPLETED"}, site.logs()
