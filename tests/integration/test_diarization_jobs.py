"""Diarizations from the request to the result, with real workers and scripted engines."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.diarizations import diarize, halves, result, stereo
from tests.http_api import Api, api_behind
from tests.workers import Site, wait_for, write_speechlike

SPEECH_S = 12.0


@pytest.fixture(scope="module")
def speech(tmp_path_factory) -> bytes:
    return write_speechlike(tmp_path_factory.mktemp("speech") / "speech.wav", SPEECH_S).read_bytes()


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


def ended(api: Api, site: Site, job_id: str, state: str = "COMPLETED") -> dict:
    """The result of the job once it has ended so."""

    def final():
        found = result(api, job_id)
        return found if found["status"] in {"COMPLETED", "FAILED", "CANCELLED"} else None

    found = wait_for(final, 60)
    assert found["status"] == state, (found.get("error"), site.logs())
    return found


def told_apart(found: dict) -> bool:
    """Whether each word has the speaker of the half of the recording in which it was said."""
    middle_s = found["duration"] / 2
    words = [word for segment in found["segments"] for word in segment["words"]]
    assert words
    return all(
        word["speaker"] == ("SPEAKER_00" if word["start"] + word["end"] < 2 * middle_s else "SPEAKER_01")
        for word in words
    )


def test_words_and_turns_are_found_by_two_workers_and_joined(api, site, speech):
    job_id = diarize(api, speech, numSpeakers="2", metadata='{"case": 7}')
    with workers(site, "batch", "diarization"):
        found = ended(api, site, job_id)
    assert told_apart(found)
    assert [(one["label"], one["name"]) for one in found["speakers"]] == [("SPEAKER_00", None), ("SPEAKER_01", None)]
    assert sum(one["speaking_time"] for one in found["speakers"]) == pytest.approx(SPEECH_S, abs=0.01)
    assert [turn["speaker"] for turn in found["turns"]] == ["SPEAKER_00", "SPEAKER_01"]
    assert (found["mode"], found["progress"], found["engine"], found["metadata"]) == (
        "diarization",
        1.0,
        "scripted",
        {"case": 7},
    )
    assert (site.folder / "diarized.log").read_text() == "2,None,None\n"
    assert halves(api, job_id) == []
    assert len(api.files()) == 1


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
    assert len((site.folder / "diarized.log").read_text().splitlines()) == 1, "the turns were found once"


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


def test_a_name_given_to_a_speaker_shows_in_every_export(api, site, speech):
    job_id = diarize(api, speech)
    with workers(site, "batch", "diarization"):
        ended(api, site, job_id)
    answer = api.client.patch(f"/api/jobs/{job_id}", json={"speakers": {"SPEAKER_01": "Ada Lovelace"}})
    assert answer.status_code == 200
    for name in ("txt", "srt", "vtt", "md", "json", "rttm"):
        text = api.client.get(f"/api/jobs/{job_id}/transcript?format={name}").text
        assert ("Ada_Lovelace" if name == "rttm" else "Ada Lovelace") in text, name
        assert "SPEAKER_01" not in text.replace('"SPEAKER_01"', ""), name
    assert "span" in api.client.get(f"/api/jobs/{job_id}/transcript?format=ctm").text


def test_where_two_speak_at_once_both_are_told_and_no_word_is_dropped(api, site, speech):
    job_id = diarize(api, speech, diarizationModel="overlap")
    with workers(site, "batch", "diarization"):
        found = ended(api, site, job_id)
    assert sum(one["speaking_time"] for one in found["speakers"]) == pytest.approx(SPEECH_S + 2, abs=0.01)
    assert sum(len(segment["words"]) for segment in found["segments"]) == len(site.heard)
    lines = api.client.get(f"/api/jobs/{job_id}/transcript?format=rttm").text.splitlines()
    ends = [float(line.split()[3]) + float(line.split()[4]) for line in lines]
    assert (len(lines), ends[0]) == (2, pytest.approx(SPEECH_S / 2 + 1))


def test_each_half_is_retried_by_itself(api, site, speech):
    job_id = diarize(api, speech, diarizationModel="crash-once")
    with workers(site, "batch", "diarization"):
        ended(api, site, job_id)
    row = api.house.row(job_id)
    assert (row.crashes, len(site.heard)) == (1, len(set(site.heard)))


def test_a_diarization_that_cannot_be_done_fails_and_stops_its_other_half(api, site, speech):
    job_id = diarize(api, speech, diarizationModel="refuse")
    with workers(site, "diarization"):
        found = ended(api, site, job_id, "FAILED")
    assert found["error"]["code"] == "engine_unavailable"
    assert [half.state for half in halves(api, job_id)] == ["CANCELLED"]


def test_words_that_cannot_be_found_fail_the_job_with_their_reason(api, site, speech):
    job_id = diarize(api, speech, prompt="refuse", callbackUrl="https://example.com/told")
    with workers(site, "batch", "diarization"):
        found = ended(api, site, job_id, "FAILED")
    assert (found["error"]["code"], found["error"]["retryable"]) == ("engine_unavailable", False)
    told = api.client.get(f"/api/jobs/{job_id}/deliveries").json["data"]["deliveries"]
    assert [one["type"] for one in told] == ["job.failed"]


def test_after_a_retry_only_what_failed_is_done_again(api, site, speech):
    job_id = diarize(api, speech, prompt="refuse")
    with workers(site, "batch", "diarization"):
        ended(api, site, job_id, "FAILED")
        (half,) = halves(api, job_id)
        api.house.change(str(half.id), options={**half.options, "prompt": None})
        assert api.client.post(f"/api/jobs/{job_id}/retry").status_code == 200
        assert told_apart(ended(api, site, job_id))
    assert len((site.folder / "diarized.log").read_text().splitlines()) == 1


def test_cancelling_reaches_both_halves(api, site, speech):
    job_id = diarize(api, speech, diarizationModel="slow", prompt="sleep:1")
    with workers(site, "batch", "diarization"):
        wait_for(lambda: api.house.row(job_id).state == "PROCESSING" and halves(api, job_id)[0].state == "PROCESSING")
        assert api.client.post(f"/api/jobs/{job_id}/cancel").status_code == 200
        ended(api, site, job_id, "CANCELLED")
        wait_for(lambda: halves(api, job_id)[0].state == "CANCELLED")


def test_deleting_takes_the_halves_and_the_recording_along(api, speech):
    job_id = diarize(api, speech)
    assert api.client.delete(f"/api/jobs/{job_id}").status_code == 200
    assert halves_left(api) == 0
    assert api.files() == []
    assert api.house.client.keys("*_queue") == []


def halves_left(api: Api) -> int:
    with api.house.engine.connect() as connection:
        return connection.exec_driver_sql("SELECT count(*) FROM jobs").scalar_one()


def test_without_words_only_the_turns_are_told_and_the_words_can_come_later(api, site, speech):
    job_id = diarize(api, speech, transcribe="false", prompt=None)
    with workers(site, "batch", "diarization"):
        found = ended(api, site, job_id)
        assert (found["transcription"], found["segments"], len(found["turns"])) == ("", [], 2)
        later = diarize(api, job_uuid=job_id, diarizationEngine=None, diarizationModel=None)
        again = ended(api, site, later)
    assert told_apart(again)
    assert again["turns"] == found["turns"]
    assert len((site.folder / "diarized.log").read_text().splitlines()) == 1, "the turns were used again"


def test_a_finished_transcription_is_diarized_without_transcribing_again(api, site, speech):
    batch_id = api.created(audio=speech)
    with workers(site, "batch", "diarization"):
        wait_for(lambda: api.house.row(batch_id).state == "COMPLETED", 60)
        n_heard = len(site.heard)
        job_id = diarize(api, job_uuid=batch_id)
        found = ended(api, site, job_id)
    assert told_apart(found)
    assert len(site.heard) == n_heard
    assert api.client.delete(f"/api/jobs/{batch_id}").status_code == 200
    assert len(api.files()) == 1, "the recording is still the other job's"
    assert api.client.get(f"/api/jobs/{job_id}/audio").status_code == 200
    assert api.client.delete(f"/api/jobs/{job_id}").status_code == 200
    assert api.files() == []


def test_a_call_with_a_speaker_a_channel_is_told_apart_by_channel(api, site, tmp_path):
    left = write_speechlike(tmp_path / "left.wav", 5.0)
    right = write_speechlike(tmp_path / "right.wav", 4.0)
    call = stereo(left, right, apart_s=1.0)
    job_id = diarize(api, call, channels="separate", diarizationEngine=None, diarizationModel=None)
    with workers(site, "batch", "diarization"):
        found = ended(api, site, job_id)
    for segment in found["segments"]:
        assert segment["speaker"] == ("SPEAKER_00" if segment["start"] < 5.5 else "SPEAKER_01")
        assert {word["speaker"] for word in segment["words"]} == {segment["speaker"]}
    assert {segment["speaker"] for segment in found["segments"]} == {"SPEAKER_00", "SPEAKER_01"}
    times = {one["label"]: one["speaking_time"] for one in found["speakers"]}
    assert 2.0 < times["SPEAKER_01"] < times["SPEAKER_00"] <= 5.5
    starts = [segment["start"] for segment in found["segments"]]
    assert starts == sorted(starts)
    assert not (site.folder / "diarized.log").exists(), "no engine was asked"


def test_a_call_that_has_one_channel_fails_and_says_so(api, site, speech):
    job_id = diarize(api, speech, channels="separate", diarizationEngine=None, diarizationModel=None)
    with workers(site, "batch", "diarization"):
        found = ended(api, site, job_id, "FAILED")
    assert found["error"]["code"] == "media_not_stereo"


@pytest.mark.parametrize(
    ("model", "hints", "n_speakers", "warning"),
    [
        ("nobody", {}, 0, "no_speech"),
        ("one", {}, 1, None),
        ("one", {"numSpeakers": "2"}, 1, "fewer_speakers_than_asked"),
        ("halves", {"maxSpeakers": "1"}, 2, "more_speakers_than_asked"),
    ],
)
def test_what_the_hints_said_otherwise_is_told(api, site, speech, model, hints, n_speakers, warning):
    job_id = diarize(api, speech, diarizationModel=model, transcribe="false", **hints)
    with workers(site, "diarization"):
        found = ended(api, site, job_id)
    assert len(found["speakers"]) == n_speakers
    assert [one for one in found["warnings"] if "speech" in one or "speakers" in one] == ([warning] if warning else [])


def test_word_times_that_were_not_asked_for_are_not_told(api, site, speech):
    job_id = diarize(api, speech, wordTimestamps="false")
    with workers(site, "batch", "diarization"):
        found = ended(api, site, job_id)
    assert {segment["speaker"] for segment in found["segments"]} == {"SPEAKER_00", "SPEAKER_01"}
    assert all(segment["words"] == [] for segment in found["segments"])
    assert json.dumps(found)
