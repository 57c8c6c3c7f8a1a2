"""A worker fetches what it is to transcribe: once, guarded, and to be stopped at any time."""

import tempfile
import time
from pathlib import Path

import pytest

from app.domain.job import JobOptions
from app.services.jobs.views import options_to_dict
from tests.factories import House
from tests.outside import slowly
from tests.workers import Site, children_of, wait_for, write_speechlike


@pytest.fixture(scope="module")
def recording():
    with tempfile.TemporaryDirectory() as folder:
        yield write_speechlike(Path(folder) / "speech.wav", 6.0).read_bytes()


@pytest.fixture
def site(house, postgres_url, redis_url, tmp_path):
    return Site(postgres_url, redis_url, tmp_path, {"ALLOW_PRIVATE_URLS": "true"})


@pytest.fixture
def submit(house: House):
    def submit(url: str, prompt: str = "", **columns) -> str:
        options = options_to_dict(JobOptions(engine="scripted", model="v1", prompt=prompt or None))
        unfetched = {"audio_key": None, "content_type": "", "size_bytes": 0, "sha256": ""}
        return house.add_job(options=options, audio_url=url, **unfetched, **columns)

    return submit


def ended(house: House, job_id: str):
    wait_for(lambda: house.row(job_id).finished_at)
    return house.row(job_id)


def stored(site: Site) -> list[Path]:
    return [path for path in (site.folder / "audio").rglob("*") if path.is_file()]


def test_a_recording_is_fetched_noted_and_transcribed(house, site, submit, world, recording):
    job_id = submit(world.on("/a.wav", lambda exchange: exchange.say(body=recording)) + "?sig=hunter2")
    with site.worker():
        row = ended(house, job_id)
    assert (row.state, row.size_bytes, row.content_type) == ("COMPLETED", len(recording), "audio/wav"), site.logs()
    assert row.duration_s == pytest.approx(6.0, abs=0.1)
    (file,) = stored(site)
    assert (file.name, file.read_bytes()) == (row.audio_key, recording)
    assert "hunter2" not in site.logs()


def test_a_run_after_a_crash_does_not_fetch_it_again(house, site, submit, world, recording):
    job_id = submit(world.on("/a.wav", lambda exchange: exchange.say(body=recording)), "sleep:1")
    with site.worker() as worker:
        wait_for(lambda: house.row(job_id).audio_key)
        wait_for(lambda: children_of(worker))[0].kill()
        row = ended(house, job_id)
    assert (row.state, row.attempt, row.crashes) == ("COMPLETED", 2, 1)
    assert len(world.received) == 1


def test_a_private_address_is_not_reached_and_the_job_fails_at_once(house, site, submit, world, recording):
    site.settings["ALLOW_PRIVATE_URLS"] = "false"
    job_id = submit(world.on("/a.wav", lambda exchange: exchange.say(body=recording)))
    with site.worker():
        row = ended(house, job_id)
    assert (row.state, row.error_code, row.attempt) == ("FAILED", "url_refused", 1)
    assert world.received == []


def test_downloads_that_fail_are_tried_again_and_those_that_cannot_succeed_are_not(house, site, submit, world):
    site.settings["RETRY_BASE_S"] = "0.1"
    failing = submit(world.on("/failing", lambda exchange: exchange.say(503)), failures=1)
    missing = submit(world.on("/missing", lambda exchange: exchange.say(404)))
    page = submit(world.on("/page", lambda exchange: exchange.say(body=b"<html>")))
    with site.worker():
        rows = [ended(house, job_id) for job_id in (failing, missing, page)]
    told = [(row.state, row.error_code, row.attempt) for row in rows]
    assert told == [("FAILED", "download_failed", 2), ("FAILED", "download_denied", 1), ("FAILED", "not_audio", 1)]
    assert stored(site) == []


def test_a_download_is_cancelled_while_it_goes_on(house, site, submit, world, recording):
    job_id = submit(world.on("/a.wav", slowly(recording, 1000, 0.1)))
    with site.worker():
        wait_for(lambda: world.n_sent)
        house.change(job_id, cancel_requested=True)
        row = ended(house, job_id)
    assert row.state == "CANCELLED"
    assert stored(site) == []


def test_a_slow_download_is_no_stall(house, site, submit, world, recording):
    site.settings["STALL_S"] = "1.5"
    job_id = submit(world.on("/a.wav", slowly(recording, len(recording) // 6, 0.5)))
    with site.worker():
        row = ended(house, job_id)
    assert (row.state, row.crashes) == ("COMPLETED", 0), site.logs()
    told = [event.fields for event in house.events.read(job_id, 0) if "fetched_bytes" in event.fields]
    assert told[-1]["total_bytes"] == len(recording)


def test_a_worker_that_stops_gives_the_download_back(house, site, submit, world, recording):
    job_id = submit(world.on("/a.wav", slowly(recording, 1000, 0.1)))
    with site.worker() as worker:
        wait_for(lambda: world.n_sent)
        worker.terminate()
        begun_s = time.monotonic()
        assert worker.wait(15) == 0
    assert time.monotonic() - begun_s < 15
    row = house.row(job_id)
    assert (row.state, row.releases, row.crashes) == ("QUEUED", 1, 0)
