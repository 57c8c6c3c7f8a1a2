"""Diarizations whose workers are killed and frozen, on either side: each half is done again, the end is told once."""

import os
import signal
from collections.abc import Iterator
from uuid import UUID

import pytest

from app.services.jobs.halves import halves_of
from tests.diarizations import diarize, ended, n_diarized, told_apart
from tests.factories import House
from tests.http_api import Api, api_behind
from tests.workers import Site, wait_for, write_speechlike

pytestmark = pytest.mark.long
SLOW = {"diarizationModel": "slow", "prompt": "sleep:0.5"}


@pytest.fixture
def api(house: House, postgres_url, redis_url, tmp_path) -> Iterator[Api]:
    with api_behind(postgres_url, redis_url, tmp_path) as api:
        yield api


@pytest.fixture
def site(api: Api, postgres_url, redis_url, tmp_path) -> Site:
    return Site(postgres_url, redis_url, tmp_path)


@pytest.fixture
def job_id(api: Api, site: Site, tmp_path) -> str:
    return diarize(api, write_speechlike(tmp_path / "speech.wav", 12.0).read_bytes(), **SLOW)


def half_of(house: House, job_id: str):
    with house.database.work() as work:
        (half,) = halves_of(work, UUID(job_id))
    return half


def both_run(house: House, job_id: str) -> bool:
    return house.row(job_id).state == half_of(house, job_id).state == "PROCESSING"


def ends_once(house: House, job_id: str) -> bool:
    return [event.type for event in house.events.read(job_id, 0)].count("completed") == 1


def test_both_workers_of_a_diarization_killed_at_once_cost_time_and_nothing_else(house, api, site, job_id):
    with site.worker(mode="batch") as one, site.worker(mode="diarization") as other:
        wait_for(lambda: both_run(house, job_id) and n_diarized(site) == 1)
        for worker in (one, other):
            worker.kill()
    with site.worker(mode="batch"), site.worker(mode="diarization"):
        wait_for(lambda: half_of(house, job_id).crashes == 1)
        assert told_apart(ended(api, site, job_id))
    row = house.row(job_id)
    assert (row.crashes, row.failures, n_diarized(site)) == (1, 0, 2)
    assert ends_once(house, job_id)


def test_a_diarization_worker_frozen_past_its_lease_writes_nothing_more(house, api, site, job_id):
    with site.worker(mode="batch"), site.worker(mode="diarization") as zombie:
        wait_for(lambda: house.row(job_id).state == "PROCESSING")
        os.kill(zombie.pid, signal.SIGSTOP)
        with site.worker(mode="diarization"):
            wait_for(lambda: house.row(job_id).attempt == 2)
            os.kill(zombie.pid, signal.SIGCONT)
            assert told_apart(ended(api, site, job_id))
            wait_for(lambda: "fenced" in site.logs())
    assert house.row(job_id).crashes == 1
    assert ends_once(house, job_id)


def test_a_worker_killed_while_its_diarization_waits_for_words_is_not_missed(house, api, site, job_id):
    with site.worker(mode="diarization") as first:
        wait_for(lambda: house.row(job_id).attempt == 1 and house.row(job_id).claim is None)
        first.kill()
    with site.worker(mode="batch"):
        wait_for(lambda: half_of(house, job_id).state == "COMPLETED")
    with site.worker(mode="diarization"):
        assert told_apart(ended(api, site, job_id))
    assert (house.row(job_id).attempt, house.row(job_id).crashes, n_diarized(site)) == (2, 0, 1)
    assert ends_once(house, job_id)
