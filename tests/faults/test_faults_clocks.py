"""Clocks that are an hour wrong. Which clock decides what stands in docs/operating.

A machine's wall clock cannot be moved here; what is moved is all that clocks have written (moments in rows, an hour
early or late, as PostgreSQL's would have after a jump), and the monotonic clocks that our code is given.
"""

from datetime import UTC, datetime, timedelta

import pytest

from app.domain.job import Mode
from app.services.jobs.reaper import Reaper
from app.services.jobs.reconciler import Reconciler, drift
from tests.factories import House
from tests.workers import Site, wait_for

HOUR = timedelta(hours=1)
LEASE_S, TICK_S = 15.0, 2.0


class Clock:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def reaper(house: House, clock: Clock) -> Reaper:
    return Reaper(house.database, house.endings, Mode.BATCH, lease_s=LEASE_S, tick_s=TICK_S, clock=clock)


def look_for(reaper: Reaper, clock: Clock, seconds: float, meanwhile=lambda: None) -> int:
    """Look once a tick for so long; how many runs were ended."""
    n_reaped = reaper.look()
    for _ in range(int(seconds / TICK_S)):
        clock.now_s += TICK_S
        meanwhile()
        n_reaped += reaper.look()
    return n_reaped


@pytest.mark.parametrize("moved", [-HOUR, HOUR], ids=["an hour ago", "in an hour"])
def test_a_run_that_beats_is_never_taken_for_lost_whatever_its_rows_moments_say(house: House, reaper, clock, moved):
    job = house.claim(house.add_job())

    def beat() -> None:
        house.claims.beat(job, 0.1, None)
        house.change(job.id, beat_at=datetime.now(UTC) + moved, started_at=datetime.now(UTC) + moved)

    assert look_for(reaper, clock, 2 * LEASE_S, beat) == 0
    assert house.row(job.id).state == "PROCESSING"


@pytest.mark.parametrize("moved", [-HOUR, HOUR], ids=["an hour ago", "in an hour"])
def test_a_silent_run_is_given_up_after_its_lease_whatever_its_rows_moments_say(house: House, reaper, clock, moved):
    job = house.claim(house.add_job())
    house.change(job.id, beat_at=datetime.now(UTC) + moved)
    assert look_for(reaper, clock, LEASE_S - TICK_S) == 0
    assert look_for(reaper, clock, 2 * TICK_S) == 1
    assert (house.row(job.id).state, house.row(job.id).crashes) == ("QUEUED", 1)


def test_an_observer_that_slept_for_an_hour_accuses_nobody(house: House, reaper, clock):
    """As a suspended machine's does; the runs may have beaten all the while, or slept as well."""
    job = house.claim(house.add_job())
    look_for(reaper, clock, LEASE_S - 2 * TICK_S)
    clock.now_s += 3600
    assert reaper.look() == 0
    assert look_for(reaper, clock, LEASE_S - 2 * TICK_S) == 0
    assert house.row(job.id).state == "PROCESSING"


def test_a_job_that_is_due_in_an_hour_waits_and_is_no_drift(house: House):
    """So it is after PostgreSQL's clock was set back by an hour, for what waits for its next attempt."""
    job_id = house.add_job(run_at=datetime.now(UTC) + HOUR)
    assert Reconciler(house.database, house.queue, Mode.BATCH).step() == 0
    assert drift(house.database, house.queue, Mode.BATCH) == 0
    assert house.claims.claim(job_id, house.row(job_id).id) is None
    house.change(job_id, run_at=datetime.now(UTC))
    assert Reconciler(house.database, house.queue, Mode.BATCH).step() == 1
    assert house.claim(job_id).attempt == 1


def test_jobs_that_were_due_an_hour_ago_are_run_once(house: House, postgres_url, redis_url, tmp_path):
    """So it is after the clock was set forward: what waited for its next attempt is due at once."""
    jobs = [house.add_job(run_at=datetime.now(UTC) - HOUR, audio_key="f" * 32) for _ in range(3)]
    with Site(postgres_url, redis_url, tmp_path).worker():
        wait_for(lambda: all(house.row(job_id).finished_at for job_id in jobs))
    assert [house.row(job_id).attempt for job_id in jobs] == [1, 1, 1]
