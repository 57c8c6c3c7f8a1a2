"""createJob and result, as native clients speak them."""

import json

import pytest

from app.domain.errors import EngineError
from app.domain.transcript import Segment, Speaker, Transcript, Word
from app.services.jobs.endings import RetryPolicy
from tests.factories import make_house, make_transcript
from tests.http_api import CREATE, NOTHING, RESULT, WAV, Api, api_behind


@pytest.fixture(scope="module")
def behind(postgres_url, redis_url, tmp_path_factory):
    with api_behind(postgres_url, redis_url, tmp_path_factory.mktemp("batch")) as api:
        yield api


@pytest.fixture
def api(behind: Api, clean) -> Api:
    for path in behind.files():
        path.unlink()
    return behind


def result(api: Api, job_id: str, **headers: str) -> dict:
    return api.client.get(RESULT, query_string={"job_uuid": job_id}, headers=headers).json["data"]


def test_the_answer_is_the_one_that_clients_expect(api: Api):
    answer = api.create()
    job_id = answer.json["data"]["job_uuid"]
    assert answer.status_code == 202
    assert answer.json == {
        "status": "success",
        "data": {
            "job_uuid": job_id,
            "status": "Votre demande est dans la file d'attente",
            "state": "QUEUED",
            "position": 1,
            "result_url": f"http://localhost{RESULT}?job_uuid={job_id}",
            "events_url": f"http://localhost/api/jobs/{job_id}/events",
        },
    }


def test_an_accepted_job_has_its_row_its_recording_and_its_hint(api: Api):
    job_id = api.created()
    row = api.house.row(job_id)
    (file,) = api.files()
    assert (row.state, row.audio_key) == ("QUEUED", file.name)
    assert file.read_bytes() == WAV
    assert api.house.queue.position(job_id) == 1


def test_the_second_of_two_waits_behind_the_first(api: Api):
    api.created()
    assert api.create().json["data"]["position"] == 2


def test_people_are_spoken_to_in_their_language(api: Api):
    answer = api.create(headers={"Accept-Language": "en-GB,en;q=0.9"})
    assert answer.json["data"]["status"] == "Your request is in the queue"
    assert answer.headers["Content-Language"] == "en"


@pytest.mark.parametrize("base", ["/api/batchtranscription", "/api/BATCHTRANSCRIPTION"])
def test_the_base_path_is_known_in_any_case(api: Api, base):
    assert api.client.get(f"{base}/result", query_string={"job_uuid": api.created()}).status_code == 200


def test_every_option_reaches_the_job(api: Api):
    job_id = api.created(
        language="en",
        engine="scripted",
        model="v1",
        task="transcribe",
        prompt="about trains",
        wordTimestamps="false",
        trimSilence="true",
        priority="high",
        callbackUrl="https://example.org/told",
        metadata='{"case": {"n": [1, 2.5, null, "é"]}}',
    )
    row = api.house.row(job_id)
    options = {name: row.options[name] for name in ("language", "engine", "model", "task", "prompt")}
    assert options == {
        "language": "en",
        "engine": "scripted",
        "model": "v1",
        "task": "transcribe",
        "prompt": "about trains",
    }
    assert (row.options["word_timestamps"], row.options["trim_silence"], row.priority) == (False, True, 0)
    assert row.callback_url == "https://example.org/told"
    assert result(api, job_id)["metadata"] == {"case": {"n": [1, 2.5, None, "é"]}}


def test_fields_may_come_after_the_file(api: Api):
    body = (
        b'--b\r\nContent-Disposition: form-data; name="audioFile"; filename="a.wav"\r\n\r\n' + WAV + b"\r\n"
        b'--b\r\nContent-Disposition: form-data; name="priority"\r\n\r\nlow\r\n--b--\r\n'
    )
    answer = api.client.post(CREATE, data=body, content_type="multipart/form-data; boundary=b")
    assert answer.status_code == 202
    assert api.house.row(answer.json["data"]["job_uuid"]).priority == 2


def test_inputs_left_empty_in_a_browser_count_as_not_given(api: Api):
    assert api.create(language="", metadata="", callbackUrl="").status_code == 202


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("/home/ann/été.wav", "été.wav"),
        ("../../etc/passwd", "passwd"),
        ("a\x07b.wav", "ab.wav"),
        ("x" * 400 + ".wav", "x" * 251 + ".wav"),
    ],
)
def test_only_the_name_of_a_file_is_kept(api: Api, given, kept):
    job_id = api.created(filename=given)
    assert api.house.row(job_id).filename == kept


def test_a_recording_can_be_named_by_its_url(api: Api):
    answer = api.client.post(
        CREATE, data={"audioUrl": "https://example.org/calls/7.mp3?key=s"}, content_type="multipart/form-data"
    )
    row = api.house.row(answer.json["data"]["job_uuid"])
    assert (row.audio_url, row.audio_key, row.filename) == ("https://example.org/calls/7.mp3?key=s", None, "7.mp3")


def test_a_repeated_request_gives_the_first_answer_and_keeps_one_recording(api: Api):
    key = {"Idempotency-Key": "once"}
    first, second = api.create(headers=key), api.create(headers=key)
    assert second.json["data"]["job_uuid"] == first.json["data"]["job_uuid"]
    assert (second.status_code, second.headers["Idempotency-Replayed"]) == (202, "true")
    assert "Idempotency-Replayed" not in first.headers
    assert len(api.files()) == 1


def test_a_key_used_for_another_request_is_refused(api: Api):
    key = {"Idempotency-Key": "once"}
    api.created(headers=key)
    answer = api.create(headers=key, priority="high")
    assert (answer.status_code, answer.json["code"]) == (422, "idempotency_key_mismatch")
    assert len(api.files()) == 1


def test_a_key_whose_first_request_is_still_coming_in_is_refused(api: Api):
    api.house.client.set("idempotency:default:busy", "another", ex=30)
    answer = api.create(headers={"Idempotency-Key": "busy"})
    assert (answer.status_code, answer.json["code"]) == (409, "idempotency_key_in_use")
    assert api.files() == []


def test_a_waiting_result_tells_its_place_and_no_transcription(api: Api):
    told = result(api, api.created())
    assert (told["status"], told["progress"], told["position"], told["mode"]) == ("QUEUED", 0.0, 1, "batch")
    assert told["job_id"] == told["job_uuid"]
    assert not {"transcription", "segments", "error", "eta_seconds"} & set(told)


def test_a_running_result_tells_how_long_it_will_take(api: Api):
    job = api.house.claim(api.created())
    api.house.change(job.id, progress=0.5)
    told = result(api, job.id)
    assert (told["status"], told["progress"]) == ("PROCESSING", 0.5)
    assert told["eta_seconds"] >= 0
    assert "position" not in told


def test_a_completed_result_is_whole(api: Api):
    job = api.house.claim(api.created(metadata='{"a": 1}'))
    word = Word("bonjour", 0.1, 0.5, 0.98, "SPEAKER_00")
    segment = Segment(0, 0.1, 2.0, "bonjour", 0.93, "SPEAKER_00", (word,))
    heard = Transcript((segment,), (Speaker("SPEAKER_00", None, 1.9),), "fr", 12.34, "scripted", "v1", ("noisy",))
    api.house.endings.complete(job, heard)
    told = result(api, job.id)
    expected = {
        "status": "COMPLETED",
        "transcription": "bonjour",
        "progress": 1.0,
        "language": "fr",
        "duration": 12.34,
        "engine": "scripted",
        "model": "v1",
        "warnings": ["noisy"],
        "metadata": {"a": 1},
        "speakers": [{"label": "SPEAKER_00", "name": None, "speaking_time": 1.9}],
        "segments": [
            {
                "id": 0,
                "start": 0.1,
                "end": 2.0,
                "text": "bonjour",
                "speaker": "SPEAKER_00",
                "confidence": 0.93,
                "words": [{"word": "bonjour", "start": 0.1, "end": 0.5, "confidence": 0.98, "speaker": "SPEAKER_00"}],
            }
        ],
    }
    assert {name: told[name] for name in expected} == expected
    assert told["created_at"].endswith("+00:00")
    assert told["started_at"] <= told["finished_at"]


@pytest.mark.parametrize(
    ("language", "message"),
    [("fr", "Le moteur a échoué : scripted."), ("en", "The engine failed: scripted.")],
)
def test_a_failed_result_says_why_in_the_language_asked_for(api: Api, postgres_url, redis_url, language, message):
    house = make_house(postgres_url, redis_url, RetryPolicy(max_attempts=1))
    job = house.claim(api.created())
    house.endings.fail(job, EngineError(reason="scripted"), "Traceback: /secret/path")
    told = result(api, job.id, **{"Accept-Language": language})
    assert told["error"] == {"code": "engine_error", "message": message, "retryable": True, "attempts": 1}
    assert "secret" not in json.dumps(told)
    house.engine.dispose()


def test_results_are_not_kept_by_caches(api: Api):
    job = api.house.claim(api.created())
    api.house.endings.complete(job, make_transcript())
    answer = api.client.get(RESULT, query_string={"job_uuid": job.id})
    assert answer.headers["Cache-Control"] == "no-store"


def test_links_are_below_the_public_url(postgres_url, redis_url, tmp_path, clean):
    with api_behind(postgres_url, redis_url, tmp_path, PUBLIC_URL="https://stt.example.org/x/") as api:
        told = api.create().json["data"]
    assert told["result_url"].startswith("https://stt.example.org/x/api/batchTranscription/result?job_uuid=")


def test_a_job_is_taken_in_while_redis_is_away(postgres_url, tmp_path, clean):
    with api_behind(postgres_url, "redis://127.0.0.1:1", tmp_path) as api:
        answer = api.create(headers={"Idempotency-Key": "k"})
    assert (answer.status_code, answer.json["data"]["position"]) == (202, None)


def test_nothing_is_promised_while_the_database_is_away(redis_url, tmp_path, clean):
    with api_behind("postgresql://127.0.0.1:1/none", redis_url, tmp_path) as api:
        answer = api.create()
    assert (answer.status_code, answer.json["code"]) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert "127.0.0.1" not in answer.text


def test_nothing_is_there_before_the_first_job(api: Api):
    assert api.left_over() == NOTHING
