"""Each live session is its own: its engine and language, its token, its place among those that a project may have."""

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from tests.http_api import CREATE, WAV
from tests.live import speech, words_of
from tests.live_socket import CREATE_STREAM, STREAM_RESULT, Talk, refused
from tests.protocol.conftest import at_most

pytestmark = pytest.mark.usefixtures("worker", "left_open")


def result(served, talk: Talk) -> dict:
    job_id = talk.of("ready")[0]["job_uuid"]
    return httpx.get(served.url + STREAM_RESULT, params={"job_uuid": job_id}).json()["data"]


def test_each_session_has_the_engine_and_the_language_that_it_asked_for(served):
    asked = [{"engine": "pocketsphinx", "language": "en-US"}, {"engine": "scripted", "language": "en"}]
    with Talk.to(served.url, **asked[0]) as english, Talk.to(served.url, **asked[1]) as tones:
        for talk in (english, tones):
            talk.send(speech(1))
            talk.stop()
        for talk in (english, tones):
            talk.until("completed", 60)
    results = [result(served, talk) for talk in (english, tones)]
    assert [(one["engine"], one["language"]) for one in results] == [("pocketsphinx", "en-US"), ("scripted", "en")]
    assert results[1]["transcription"] == words_of(1)[0]
    assert results[0]["transcription"] != words_of(1)[0]


@pytest.mark.parametrize(
    ("query", "field"),
    [({"engine": "scripted", "language": "fr"}, "language"), ({"engine": "scripted", "model": "v9"}, "model")],
)
def test_a_language_or_model_that_the_engine_does_not_have_is_named(served, query, field):
    with Talk.to(served.url, **query) as talk:
        assert refused(talk) == ("invalid_fields", 1008)
    assert list(talk.told[-1]["errors"]) == [field]
    assert httpx.post(served.url + CREATE_STREAM, json=query).status_code == 422


def test_a_project_has_as_many_sessions_as_it_may_and_another_when_one_has_ended(served, house):
    with at_most(house, 1), Talk.to(served.url) as first:
        first.until("ready")
        with Talk.to(served.url) as second:
            assert refused(second) == ("too_many_sessions", 1008)
        assert second.told[-1]["retry_after_s"] > 0
        first.stop()
        first.until("completed")
        with Talk.to(served.url) as third:
            third.stop()
            assert third.until("completed")["duration"] == 0.0


def test_the_token_of_another_session_is_refused(served):
    with Talk.to(served.url) as mine, Talk.to(served.url) as other:
        ready, other_ready = mine.until("ready"), other.until("ready")
        with Talk.to(served.url, job_uuid=ready["job_uuid"], resume_token=other_ready["resume_token"]) as thief:
            assert refused(thief) == ("token_refused", 1008)
        for talk in (mine, other):
            talk.stop()
            talk.until("completed")


def test_a_token_is_good_for_what_was_said_until_the_session_is_deleted(served):
    with Talk.to(served.url) as talk:
        talk.send(speech(1))
        talk.stop()
        talk.rest()
    ready = talk.of("ready")[0]
    token = {"job_uuid": ready["job_uuid"], "resume_token": ready["resume_token"]}
    with Talk.to(served.url, **token) as late:
        late.rest()
    assert [one["type"] for one in late.told] == ["ready", "final", "completed"]
    assert httpx.delete(f"{served.url}/api/jobs/{ready['job_uuid']}").is_success
    with pytest.raises(InvalidStatus) as gone, Talk.to(served.url, **token):
        pass
    assert gone.value.response.status_code == 404


def test_a_job_of_another_mode_is_no_session(served, house):
    made = httpx.post(served.url + CREATE, files={"audioFile": ("a.wav", WAV)}).json()["data"]["job_uuid"]
    with pytest.raises(InvalidStatus) as refusal, Talk.to(served.url, job_uuid=made):
        pass
    assert refusal.value.response.status_code == 404
    assert httpx.post(f"{served.url}/api/jobs/{made}/cancel").is_success


@pytest.mark.parametrize(("encoding", "n_bytes", "sample"), [("pcm_f32le", 3, 4), ("mulaw", 0, 1)])
def test_the_odd_bytes_of_other_encodings_are_told_as_well(served, encoding, n_bytes, sample):
    with Talk.to(served.url, encoding=encoding) as talk:
        talk.socket.send(bytes(1600 * sample + n_bytes))
        talk.stop()
        assert talk.until("completed")["duration"] == 0.1
    assert [one["code"] for one in talk.of("error")] == ["half_sample"] * bool(n_bytes)
