"""What an operator sees of each of the three queues while real workers work on them."""

import re
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from app.domain.job import Mode
from app.queues.presence import list_workers
from tests.diarizations import diarize, ended
from tests.http_api import Api, api_behind
from tests.live import IN_MID_UTTERANCE, LIVE_SETTINGS, SOUND, Gateway
from tests.workers import Site, wait_for, write_speechlike

QUEUES = {mode.queue for mode in Mode}
RUNNING = {
    "parloir_queue_running": 1.0,
    "parloir_queue_started": 1.0,
    "parloir_queue_beat_age_seconds": 0.0,
    "parloir_queue_wait_seconds": 0.0,
}
"""What is told of a queue of which a job runs, and how much of it at least."""


@pytest.fixture
def api(clean, postgres_url, redis_url, tmp_path) -> Iterator[Api]:
    with api_behind(postgres_url, redis_url, tmp_path) as api:
        yield api


@pytest.fixture
def site(api: Api, postgres_url, redis_url, tmp_path) -> Iterator[Site]:
    site = Site(postgres_url, redis_url, tmp_path, dict(LIVE_SETTINGS))
    with ExitStack() as workers:
        for mode in Mode:
            workers.enter_context(site.worker(mode=mode.value))
        wait_for(lambda: {one.mode for one in list_workers(api.house.client) if one.slots} == set(Mode))
        yield site


def series(api: Api) -> list[tuple[str, dict[str, str], float]]:
    """What `/metrics` tells: name, labels and value of each."""
    lines = re.findall(r"^(parloir_\w+)(?:\{(.*)\})? (\S+)$", api.client.get("/metrics").text, flags=re.MULTILINE)
    return [(name, dict(re.findall(r'(\w+)="([^"]*)"', labels)), float(value)) for name, labels, value in lines]


def working(api: Api) -> set[str]:
    """The queues of which it is told that a job runs, how long it waited, and when it last gave a sign of life."""
    told = {
        (name, labels["queue"]) for name, labels, value in series(api) if name in RUNNING and value >= RUNNING[name]
    }
    return {queue for queue in QUEUES if all((name, queue) in told for name in RUNNING)}


def test_each_queue_tells_of_its_jobs_and_each_mode_of_its_workers(api: Api, site: Site, tmp_path, command, capsys):
    speech = write_speechlike(tmp_path / "speech.wav", 12.0).read_bytes()
    gateway = Gateway(api.house, site.redis_url)
    with gateway.connected(gateway.open()) as client:
        client.send(SOUND, upto=IN_MID_UTTERANCE)
        seen: set[str] = set()
        diarization = diarize(api, speech, diarizationModel="slow", prompt="sleep:0.7")
        wait_for(lambda: seen.update(working(api)) or seen == QUEUES)
        assert command("top", "--once") == 0
        shown = capsys.readouterr().out
        assert set(re.findall(r"^(\w+_queue) ", shown, flags=re.MULTILINE)) == QUEUES
        assert re.search(rf"^{client.job_id} +streaming ", shown, flags=re.MULTILINE)
        client.send(SOUND)
        client.stop()
        client.wait("completed")
    ended(api, site, diarization)
    wait_for(lambda: modes(api, "parloir_worker_runs_total", end="completed") == set(Mode))
    assert modes(api, "parloir_worker_slots") == set(Mode)
    assert [name for name, _, _ in series(api)].count("parloir_stream_lag_seconds") == 1


def modes(api: Api, asked: str, **where: str) -> set[str]:
    """The modes of workers for which a metric is not 0."""
    return {
        labels["mode"] for name, labels, n in series(api) if name == asked and n and where.items() <= labels.items()
    }
