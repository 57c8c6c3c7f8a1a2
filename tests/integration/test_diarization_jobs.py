"""Diarizations from the request to the result, with real workers and scripted engines."""

import json
from collections.abc import Iterator

import pytest

from tests.diarizations import diarize, ended, halves, n_diarized, stereo, told_apart
from tests.http_api import Api, api_behind
from tests.workers import Site, wait_for, write_speechlike

SPEECH_S = 12.0


@pytest.fixture(scope="module")
def speech(tmp_path_factory) -> bytes:
    return write_speechlike(tmp_path_factory.mktemp("speech") / "speech.wav", SPEECH_S).read_bytes()


@pytest.fixture(scope="module")
def site(postgres_url, redis_url, tmp_path_factory) -> Iterator[Site]:
    """A worker of each kind, at work through all the tests here."""
    site = Site(postgres_url, redis_url, tmp_path_factory.mktemp("site"))
    with site.worker(mode="batch"), site.worker(mode="diarization"):
        yield site


@pytest.fixture
def api(clean, site) -> Iterator[Api]:
    for left_by_others in (*site.folder.glob("*d.log"), *(site.folder / "audio").glob("*/*")):
        left_by_others.unlink()
    with api_behind(site.postgres_url, site.redis_url, site.folder) as api:
        yield api


def test_words_and_turns_are_found_by_two_workers_and_joined(api, site, speech):
    job_id = diarize(api, speech, numSpeakers="2", metadata='{"case": 7}')
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


def test_a_name_given_to_a_speaker_shows_in_every_export(api, site, speech):
    job_id = diarize(api, speech)
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
    found = ended(api, site, job_id)
    assert sum(one["speaking_time"] for one in found["speakers"]) == pytest.approx(SPEECH_S + 2, abs=0.01)
    assert sum(len(segment["words"]) for segment in found["segments"]) == len(site.heard)
    lines = api.client.get(f"/api/jobs/{job_id}/transcript?format=rttm").text.splitlines()
    ends = [float(line.split()[3]) + float(line.split()[4]) for line in lines]
    assert (len(lines), ends[0]) == (2, pytest.approx(SPEECH_S / 2 + 1))


def test_each_half_is_retried_by_itself(api, site, speech):
    job_id = diarize(api, speech, diarizationModel="crash-once")
    ended(api, site, job_id)
    row = api.house.row(job_id)
    assert (row.crashes, len(site.heard)) == (1, len(set(site.heard)))


def test_words_that_cannot_be_found_fail_the_job_with_their_reason(api, site, speech):
    job_id = diarize(api, speech, prompt="refuse", callbackUrl="https://example.com/told")
    found = ended(api, site, job_id, "FAILED")
    assert (found["error"]["code"], found["error"]["retryable"]) == ("engine_unavailable", False)
    told = api.client.get(f"/api/jobs/{job_id}/deliveries").json["data"]["deliveries"]
    assert [one["type"] for one in told] == ["job.failed"]


def test_cancelling_reaches_both_halves(api, site, speech):
    job_id = diarize(api, speech, diarizationModel="slow", prompt="sleep:1")
    wait_for(lambda: api.house.row(job_id).state == "PROCESSING" and halves(api, job_id)[0].state == "PROCESSING")
    assert api.client.post(f"/api/jobs/{job_id}/cancel").status_code == 200
    ended(api, site, job_id, "CANCELLED")
    wait_for(lambda: halves(api, job_id)[0].state == "CANCELLED")


def test_without_words_only_the_turns_are_told_and_the_words_can_come_later(api, site, speech):
    job_id = diarize(api, speech, transcribe="false", prompt=None)
    found = ended(api, site, job_id)
    assert (found["transcription"], found["segments"], len(found["turns"])) == ("", [], 2)
    later = diarize(api, job_uuid=job_id, diarizationEngine=None, diarizationModel=None)
    again = ended(api, site, later)
    assert told_apart(again)
    assert again["turns"] == found["turns"]
    assert n_diarized(site) == 1, "the turns were used again"


def test_a_finished_transcription_is_diarized_without_transcribing_again(api, site, speech):
    batch_id = api.created(audio=speech)
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
    found = ended(api, site, job_id)
    assert len(found["speakers"]) == n_speakers
    assert [one for one in found["warnings"] if "speech" in one or "speakers" in one] == ([warning] if warning else [])


def test_word_times_that_were_not_asked_for_are_not_told(api, site, speech):
    job_id = diarize(api, speech, wordTimestamps="false")
    found = ended(api, site, job_id)
    assert {segment["speaker"] for segment in found["segments"]} == {"SPEAKER_00", "SPEAKER_01"}
    assert all(segment["words"] == [] for segment in found["segments"])
    assert json.dumps(found)
