"""Lost workers are noticed, lost hints are restored, and nobody is accused by a blind observer."""

import pytest

from app.domain.errors import EngineError
from app.domain.job import Mode
from app.services.jobs.reaper import Reaper
from app.services.jobs.reconciler import PAGE, Reconciler, drift, oldest_age_s
from tests.factories import House


class Clock:
    """A monotonic clock that goes when told."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def reaper(house, clock):
    return Reaper(house.database, house.endings, Mode.BATCH, lease_s=15, tick_s=2, clock=clock)


def look_for(reaper: Reaper, clock: Clock, seconds: float, each=lambda: None) -> int:
    """Look every 2 s for so long; `each` happens before every look."""
    reaped = reaper.look()
    for _ in range(int(seconds / 2)):
        clock.now += 2
        each()
        reaped += reaper.look()
    return reaped


def test_a_silent_run_is_given_to_another_after_the_lease(house: House, reaper, clock):
    job = house.claim(house.add_job())
    assert look_for(reaper, clock, 14) == 0
    assert look_for(reaper, clock, 2) == 1
    row = house.row(job.id)
    assert (row.state, row.crashes) == ("QUEUED", 1)


def test_a_run_that_beats_is_left_alone(house: House, reaper, clock):
    job = house.claim(house.add_job())
    assert look_for(reaper, clock, 60, each=lambda: house.claims.beat(job, 0.1, None)) == 0
    assert house.row(job.id).state == "PROCESSING"


def test_an_observer_that_was_blind_accuses_nobody(house: House, reaper, clock):
    house.claim(house.add_job())
    look_for(reaper, clock, 12)
    clock.now += 60
    assert reaper.look() == 0
    assert look_for(reaper, clock, 12) == 0


def test_a_second_run_of_a_job_gets_its_own_lease(house: House, reaper, clock):
    job = house.claim(house.add_job())
    look_for(reaper, clock, 12)
    house.endings.crash(job, EngineError(reason="x"))
    house.claim(job.id)
    assert look_for(reaper, clock, 8) == 0


def test_hints_lost_with_redis_are_restored_for_due_jobs_only(house: House):
    due = {house.add_job() for _ in range(3)}
    house.claim(house.add_job())
    house.client.flushdb()
    assert drift(house.database, house.queue, Mode.BATCH) == 3
    assert Reconciler(house.database, house.queue, Mode.BATCH).step() == 3
    assert {house.queue.take(1) for _ in range(3)} == due
    assert house.queue.depth() == 0


def test_one_step_restores_more_than_a_page_after_a_flush(house: House):
    with house.database.work() as work:
        work.session.connection().exec_driver_sql("SELECT 1")
    for _ in range(PAGE + 20):
        house.add_job()
    assert Reconciler(house.database, house.queue, Mode.BATCH).step() == PAGE + 20
    assert drift(house.database, house.queue, Mode.BATCH) == 0


def test_what_is_already_hinted_is_not_offered_twice(house: House):
    house.add_job()
    reconciler = Reconciler(house.database, house.queue, Mode.BATCH)
    assert [reconciler.step(), reconciler.step()] == [1, 0]


def test_the_oldest_wait_is_told(house: House):
    assert oldest_age_s(house.database, Mode.BATCH) == 0
    house.add_job()
    assert oldest_age_s(house.database, Mode.BATCH) > 0
