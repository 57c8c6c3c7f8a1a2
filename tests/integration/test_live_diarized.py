"""Live sessions whose speakers are told apart once they are over, with real workers and scripted engines."""

from collections.abc import Iterator

import pytest

from app.queues.presence import is_there
from tests.diarizations import diarize, ended, n_diarized
from tests.http_api import Api, api_behind
from tests.live import LIVE_SETTINGS, SOUND, Gateway
from tests.workers import Site, wait_for

RESULT = "/api/streamingTranscription/result"


@pytest.fixture
def site(clean, postgres_url, redis_url, tmp_path) -> Iterator[Site]:
    site = Site(postgres_url, redis_url, tmp_path, dict(LIVE_SETTINGS))
    with site.worker(mode="streaming"), site.worker(mode="batch"), site.worker(mode="diarization"):
        yield site


@pytest.fixture
def api(site) -> Iterator[Api]:
    with api_behind(site.postgres_url, site.redis_url, site.folder) as api:
        yield api


def spoken(api: Api, site: Site, **spec: bool) -> str:
    """The id of a session in which everything was said."""
    gateway = Gateway(api.house, site.redis_url)
    with gateway.connected(gateway.open(**spec)) as client:
        client.send(SOUND)
        client.stop()
        client.wait("completed")
    return str(client.job_id)


@pytest.mark.long
def test_a_refined_session_is_transcribed_anew_and_its_speakers_told_apart(api, site):
    wait_for(lambda: is_there(api.house.client, "diarization"))
    job_id = spoken(api, site, refine=True)
    (refining,) = api.client.get(RESULT, query_string={"job_uuid": job_id}).json["data"]["refined_by"]
    found = ended(api, site, refining)
    assert (found["mode"], found["engine"]) == ("diarization", "scripted")
    assert {turn["speaker"] for turn in found["turns"]} == {"SPEAKER_00", "SPEAKER_01"}
    assert n_diarized(site) == 1


@pytest.mark.long
def test_a_session_that_kept_its_sound_is_diarized_later_with_the_words_that_were_heard_live(api, site):
    job_id = spoken(api, site, keep_audio=True)
    live = api.client.get(RESULT, query_string={"job_uuid": job_id}).json["data"]
    found = ended(api, site, diarize(api, job_uuid=job_id))
    assert found["transcription"].split() == live["transcription"].split()
    assert all(word["speaker"] for segment in found["segments"] for word in segment["words"])
    assert len({turn["speaker"] for turn in found["turns"]}) == 2
