"""Diarizations whose halves are done by workers that come and go."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.diarizations import diarize, ended, halves, n_diarized, result, told_apart
from tests.http_api import Api, api_behind
from tests.workers import Site, wait_for, write_speechlike


@pytest.fixture(scope="module")
def speech(tmp_path_factory) -> bytes:
    return write_speechlike(tmp_path_factory.mktemp("speech") / "speech.wav", 12.0).read_bytes()


@pytest.fixture
def api(clean, postgres_url, redis_url, tmp_path) -> Iterator[Api]:
    with api_behind(postgres_url, redis_url, tmp_path) as api:
        yield api


@pytest.fixture
def site(api, postgres_url, redis_url, tmp_path) -> Site:
    return Site(postgres_url, redis_url, tmp_path)


@contextmanager
def workers(site: Site, *modes: str) -> Iterator[None]:
    with ExitStack() as stack:
        for mode in modes:
            stack.enter_context(site.worker(mode=mode))
        yield


@pytest.mark.parametrize(("first", "second"), [("diarization", "batch"), ("batch", "diarization")])
def test_whichever_half_is_done_first_the_other_joins_it(api, site, speech, first, second):
    job_id = diarize(api, speech)
    with workers(site, first):
        if first == "diarization":
            wait_for(lambda: result(api, job_id)["status"] == "PROCESSING" and api.house.row(job_id).claim is None)
        else:
            wait_for(lambda: halves(api, job_id)[0].state == "COMPLETED")
    assert result(api, job_id)["progress"] == 0.5
    with workers(site, second), workers(site, *({"diarization"} - {second})):
        assert told_apart(ended(api, site, job_id))
    assert n_diarized(site) == 1, "the turns were found once"


def test_only_the_clients_job_is_in_lists(api, site, speech):
    job_id = diarize(api, speech)
    (half,) = halves(api, job_id)
    assert [job["job_id"] for job in api.client.get("/api/jobs").json["data"]["jobs"]] == [job_id]
    assert api.client.get(f"/api/jobs/{half.id}").status_code == 404
    with workers(site, "diarization"):
        wait_for(lambda: result(api, job_id)["status"] == "PROCESSING" and api.house.row(job_id).claim is None)
    for state, n in (("PROCESSING", 1), ("QUEUED", 0)):
        assert len(api.client.get(f"/api/jobs?state={state}").json["data"]["jobs"]) == n
    assert api.client.get("/health").json["queue_size"] == 1, "the half waits, the parked job does not"


def test_a_diarization_that_cannot_be_done_fails_and_stops_its_other_half(api, site, speech):
    job_id = diarize(api, speech, diarizationModel="refuse")
    with workers(site, "diarization"):
        found = ended(api, site, job_id, "FAILED")
    assert found["error"]["code"] == "engine_unavailable"
    assert [half.state for half in halves(api, job_id)] == ["CANCELLED"]


def test_after_a_retry_only_what_failed_is_done_again(api, site, speech):
    job_id = diarize(api, speech, prompt="refuse")
    with workers(site, "batch", "diarization"):
        ended(api, site, job_id, "FAILED")
        (half,) = halves(api, job_id)
        api.house.change(str(half.id), options={**half.options, "prompt": None})
        assert api.client.post(f"/api/jobs/{job_id}/retry").status_code == 200
        assert told_apart(ended(api, site, job_id))
    assert n_diarized(site) == 1


def test_deleting_takes_the_halves_and_the_recording_along(api, speech):
    job_id = diarize(api, speech)
    assert api.client.delete(f"/api/jobs/{job_id}").status_code == 200
    assert halves_left(api) == 0
    assert api.files() == []
    assert api.house.client.keys("*_queue") == []


def halves_left(api: Api) -> int:
    with api.house.engine.connect() as connection:
        return connection.exec_driver_sql("SELECT count(*) FROM jobs").scalar_one()


@pytest.mark.long
def test_a_killed_diarization_worker_costs_time_and_nothing_else(api, site, speech):
    job_id = diarize(api, speech, diarizationModel="slow")
    with workers(site, "batch", "diarization"):
        with site.worker(mode="diarization"):
            wait_for(lambda: n_diarized(site) == 1)
            holder = api.house.row(job_id).worker.split(":")[1]
            os.kill(int(holder), signal.SIGKILL)
        with workers(site, "diarization"):
            assert told_apart(ended(api, site, job_id))
    assert (api.house.row(job_id).crashes, n_diarized(site)) == (1, 2)
