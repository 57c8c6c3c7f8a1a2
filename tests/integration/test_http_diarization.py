"""Diarizations asked for over HTTP: what is taken, what is refused and how, what people do to them."""

import threading
from uuid import uuid4

import pytest

from app.services.jobs.endings import Endings, RetryPolicy
from tests.diarizations import CREATE, RESULT, ask, diarize, halves, result
from tests.factories import make_transcript
from tests.http_api import NOTHING, WAV, api_behind

APART = {"channels": "separate", "diarizationEngine": None, "diarizationModel": None}


@pytest.fixture
def api(clean, postgres_url, redis_url, tmp_path):
    with api_behind(postgres_url, redis_url, tmp_path) as api:
        yield api


def refused(answer, status: int = 422) -> dict:
    assert answer.status_code == status, answer.text
    return answer.json.get("errors", {})


def in_english(api, audio: bytes | None = WAV, **fields) -> dict:
    return refused(ask(api, audio, headers={"Accept-Language": "en"}, **fields))


def complete(api, job_id: str) -> None:
    Endings(api.house.database, api.house.narrator, "test", RetryPolicy()).complete(
        api.house.claim(job_id), make_transcript()
    )


def test_a_job_is_taken_in_with_both_its_halves_queued(api):
    answer = ask(api, WAV, minSpeakers="2", maxSpeakers="4", priority="high")
    assert answer.status_code == 202
    told = answer.json["data"]
    assert told["state"] == "QUEUED"
    assert told["position"] == 1
    assert told["result_url"].endswith(f"{RESULT}?job_uuid={told['job_uuid']}")
    (half,) = halves(api, told["job_uuid"])
    row = api.house.row(told["job_uuid"])
    assert (half.mode, half.state, half.audio_key, half.priority) == ("batch", "QUEUED", row.audio_key, row.priority)
    assert {api.house.client.zcard(name) for name in ("batch_queue", "diarization_queue")} == {1}
    options = api.client.get(f"/api/jobs/{told['job_uuid']}").json["data"]["options"]
    assert {name: options[name] for name in ("numSpeakers", "minSpeakers", "maxSpeakers", "channels")} == {
        "numSpeakers": None,
        "minSpeakers": 2,
        "maxSpeakers": 4,
        "channels": "mix",
    }


def test_the_path_is_matched_without_regard_to_case(api):
    job_id = diarize(api, WAV)
    assert api.client.get("/api/DIARIZATION/result", query_string={"job_uuid": job_id}).status_code == 200


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"numSpeakers": "0"}, {"numSpeakers"}),
        ({"numSpeakers": "many"}, {"numSpeakers"}),
        ({"minSpeakers": "5", "maxSpeakers": "3"}, {"minSpeakers"}),
        ({"numSpeakers": "2", "minSpeakers": "3"}, {"numSpeakers"}),
        ({"numSpeakers": "1000"}, {"numSpeakers"}),
        ({"channels": "both"}, {"channels"}),
        ({"channels": "separate"}, {"diarizationEngine", "diarizationModel"}),
        (
            {"channels": "separate", "diarizationEngine": None, "diarizationModel": None, "numSpeakers": "3"},
            {"numSpeakers"},
        ),
        ({"transcribe": "perhaps"}, {"transcribe"}),
        ({"diarizationEngine": "nobody"}, {"diarizationEngine"}),
        ({"diarizationModel": "nothing"}, {"diarizationModel"}),
        ({"language": "fr"}, {"language"}),
        ({"speakers": "2"}, {"speakers"}),
    ],
)
def test_what_contradicts_itself_or_cannot_be_done_is_refused_by_its_name(api, fields, names):
    assert set(in_english(api, **fields)) == names
    assert api.left_over() == NOTHING


@pytest.mark.parametrize("fields", [{"minSpeakers": "5", "maxSpeakers": "3"}, {"channels": "separate"}, {}])
def test_refusals_are_told_in_french(api, fields):
    audio = WAV if fields else None
    english = refused(ask(api, audio, headers={"Accept-Language": "en"}, **fields))
    french = refused(ask(api, audio, headers={"Accept-Language": "fr"}, **fields))
    assert set(english) == set(french)
    for name in english:
        assert set(english[name]).isdisjoint(french[name]), name


def test_an_engine_whose_token_is_missing_says_which_and_how(api):
    told = in_english(api, diarizationEngine="pyannote", diarizationModel=None)
    (message,) = told["diarizationEngine"]
    assert "HF_TOKEN is not set" in message
    french = refused(
        ask(api, WAV, headers={"Accept-Language": "fr"}, diarizationEngine="pyannote", diarizationModel=None)
    )
    assert "HF_TOKEN n'est pas défini : acceptez les conditions" in french["diarizationEngine"][0]


def test_either_a_file_or_something_instead(api):
    assert refused(ask(api))["audioFile"]
    assert set(refused(ask(api, WAV, job_uuid="x"))) == {"audioFile", "job_uuid"}
    assert set(refused(ask(api, job_uuid="x", audioUrl="https://example.com/a.wav"))) == {"audioUrl", "job_uuid"}


def test_only_a_completed_job_can_be_gone_on_from(api):
    assert ask(api, job_uuid="unknown").status_code == 404
    waiting = api.created()
    answer = ask(api, job_uuid=waiting)
    assert (answer.status_code, answer.json["code"]) == (409, "conflict")


def test_a_completed_job_without_its_recording_cannot_be_gone_on_from(api):
    batch_id = api.created()
    complete(api, batch_id)
    api.house.change(batch_id, audio_key=None)
    answer = ask(api, job_uuid=batch_id)
    assert (answer.status_code, answer.json["code"]) == (409, "recording_removed")


def test_a_job_of_another_project_cannot_be_gone_on_from(api):
    with api.house.database.work():
        foreign = api.house.add_job(project_id="theirs")
    complete(api, foreign)
    assert ask(api, job_uuid=foreign).status_code == 404


def test_a_job_that_goes_on_has_the_words_of_the_one_before(api):
    batch_id = api.created()
    complete(api, batch_id)
    job_id = diarize(api, job_uuid=batch_id)
    (half,) = halves(api, job_id)
    assert (half.state, half.engine, half.audio_key) == ("COMPLETED", "scripted", api.house.row(batch_id).audio_key)
    assert api.house.row(job_id).filename == "a.wav"
    assert result(api, job_id)["progress"] == 0.5


def test_channels_apart_need_a_recording_of_their_own(api):
    batch_id = api.created()
    complete(api, batch_id)
    answer = ask(api, job_uuid=batch_id, **APART)
    assert set(refused(answer)) == {"channels"}


def test_the_same_request_sent_twice_makes_one_job_with_one_half(api):
    first = ask(api, WAV, headers={"Idempotency-Key": "k"})
    again = ask(api, WAV, headers={"Idempotency-Key": "k"})
    assert again.json["data"]["job_uuid"] == first.json["data"]["job_uuid"]
    assert len(halves(api, first.json["data"]["job_uuid"])) == 1
    assert len(api.files()) == 1
    assert ask(api, WAV, headers={"Idempotency-Key": "k"}, numSpeakers="2").status_code == 422


def test_a_recording_to_be_fetched_is_waited_for_by_the_words(api):
    job_id = diarize(api, audioUrl="https://example.com/talk.wav")
    (half,) = halves(api, job_id)
    assert (half.audio_url, half.audio_key) == ("https://example.com/talk.wav", None)
    assert api.house.client.zcard("batch_queue") == 0


def test_cancelling_a_waiting_job_cancels_its_half_and_a_retry_brings_both_back(api):
    job_id = diarize(api, WAV)
    assert api.client.post(f"/api/jobs/{job_id}/cancel").status_code == 200
    assert [half.state for half in halves(api, job_id)] == ["CANCELLED"]
    assert api.house.client.keys("*_queue") == []
    assert api.client.post(f"/api/jobs/{job_id}/retry").status_code == 200
    assert [half.state for half in halves(api, job_id)] == ["QUEUED"]
    assert api.house.client.zcard("batch_queue") == 1


def test_a_half_that_is_just_being_stopped_is_begun_again_by_a_retry(api):
    job_id = diarize(api, WAV)
    (half,) = halves(api, job_id)
    running = api.house.claim(str(half.id))
    api.client.post(f"/api/jobs/{job_id}/cancel")
    assert api.house.claims.beat(running, 0.1, None).cancel_requested
    assert api.client.post(f"/api/jobs/{job_id}/retry").status_code == 200
    assert api.house.claims.beat(running, 0.2, None) is None, "the run that was to stop may write nothing more"
    assert not api.house.endings.cancel(running)
    assert [half.state for half in halves(api, job_id)] == ["QUEUED"]


def test_cancelling_while_a_worker_takes_the_half_reaches_it_either_way(api):
    for _ in range(5):
        job_id = diarize(api, WAV)
        half_id = str(halves(api, job_id)[0].id)
        taking = threading.Thread(target=lambda half_id=half_id: api.house.claims.claim(half_id, uuid4()))
        taking.start()
        assert api.client.post(f"/api/jobs/{job_id}/cancel").status_code == 200
        taking.join()
        (half,) = halves(api, job_id)
        assert half.state == "CANCELLED" or (half.state == "PROCESSING" and half.cancel_requested)


def test_a_wav_is_needed_as_everywhere(api):
    answer = ask(api, b"no sound at all, but long enough to be looked at" * 4)
    assert answer.status_code == 415
    assert api.left_over() == NOTHING


def test_the_form_is_in_the_openapi_document(api):
    paths = api.client.get("/openapi.json").json["paths"]
    fields = paths[CREATE]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]["properties"]
    assert {"audioFile", "audioUrl", "job_uuid", "numSpeakers", "channels", "transcribe"} <= set(fields)
    assert "get" in paths[RESULT]
