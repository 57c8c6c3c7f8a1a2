"""The native protocol, spoken by a real client to gunicorn, a real worker behind."""

import httpx
import pytest

from tests.live import speech, words_of
from tests.live_socket import CREATE_STREAM, STREAM_RESULT, Talk, texts_of

pytestmark = pytest.mark.usefixtures("worker")


def test_words_come_while_they_are_said_and_all_is_told_at_the_end(served):
    with Talk.to(served.url) as talk:
        ready = talk.until("ready")
        assert (ready["received"], ready["committed"]) == (0, 0)
        talk.send(speech(3), pace=4)
        talk.stop()
        told = talk.rest()
    assert texts_of(told) == words_of(3)
    assert told[-1]["transcription"] == " ".join(words_of(3))
    assert talk.code == 1000


def test_a_session_made_over_http_is_joined_and_read_while_it_goes_on(served):
    made = httpx.post(served.url + CREATE_STREAM, json={"sampleRate": 16000, "metadata": {"of": "me"}})
    assert made.status_code == 202, made.text
    job_id, ws_url = made.json()["data"]["job_uuid"], made.json()["data"]["ws_url"]
    assert ws_url == f"{served.url.replace('http', 'ws')}/api/streamingTranscription/stream?job_uuid={job_id}"
    with Talk.to(served.url, job_uuid=job_id) as talk:
        talk.send(speech(1) + bytes(32_000))
        talk.until("final")
        so_far = result(served, job_id)
        assert (so_far["status"], "transcription" in so_far) == ("PROCESSING", False)
        assert [segment["text"] for segment in so_far["segments"]] == words_of(1)
        talk.stop()
        done = talk.until("completed")
    after = result(served, job_id)
    assert (after["status"], after["transcription"]) == ("COMPLETED", words_of(1)[0])
    assert (after["duration"], after["metadata"]) == (done["duration"], {"of": "me"})


def test_a_form_makes_a_session_too_and_the_path_may_be_in_lower_case(served):
    made = httpx.post(
        served.url + CREATE_STREAM.replace("streamingTranscription", "streamingtranscription"),
        data={"encoding": "mulaw", "sampleRate": "8000", "hotwords": "a,b"},
    )
    assert made.status_code == 202, made.text
    with Talk.to(served.url, "/api/streamingtranscription/stream", job_uuid=made.json()["data"]["job_uuid"]) as talk:
        talk.until("ready")
        talk.socket.send(bytes(800))
        talk.stop()
        assert talk.until("completed")["duration"] == 0.1


def result(served, job_id: str) -> dict:
    return httpx.get(served.url + STREAM_RESULT, params={"job_uuid": job_id}).json()["data"]


def test_finals_have_words_with_times(served):
    with Talk.to(served.url) as talk:
        talk.send(speech(1))
        talk.stop()
        final = talk.until("final")
    assert final["seq"] == 1
    assert final["speech_final"] in {True, False}
    assert [word["word"] for word in final["segment"]["words"]] == words_of(1)[0].split()
    assert final["segment"]["words"][0]["start"] == pytest.approx(0.3, abs=0.02)


def test_partials_are_told_unless_they_are_not_wanted(served):
    with Talk.to(served.url) as wanted, Talk.to(served.url, interimResults="false") as unwanted:
        for talk in (wanted, unwanted):
            talk.send(speech(2), pace=4)
            talk.stop()
            talk.rest()
    assert {partial["seq"] for partial in wanted.of("partial")} == {1, 2}
    assert unwanted.of("partial") == []
    assert texts_of(unwanted.told) == texts_of(wanted.told) == words_of(2)


def test_finalize_says_what_is_open_and_the_session_goes_on(served):
    sound = speech(1, n_words=2)[: int(0.8 * 32_000)]
    with Talk.to(served.url) as talk:
        talk.send(sound)
        talk.say(type="finalize")
        assert talk.until("final")["segment"]["text"] == words_of(1, 2)[0]
        talk.send(sound)
        talk.stop()
        told = talk.rest()
    assert texts_of(told) == words_of(1, 2) * 2


def test_acks_tell_what_is_held_and_what_need_not_be_kept(served):
    sound = speech(3)
    with Talk.to(served.url) as talk:
        talk.send(sound, pace=2)
        talk.stop()
        acks = [one for one in talk.rest() if one["type"] == "ack"]
    assert len(acks) >= 2
    assert all(ack["committed"] <= ack["received"] <= len(sound) // 2 for ack in acks)
    assert acks[-1]["committed"] > 0


def test_chunks_may_be_of_any_size_odd_ones_too(served):
    with Talk.to(served.url) as talk:
        talk.send(speech(2), chunk_bytes=1_333)
        talk.stop()
        told = talk.rest()
    assert texts_of(told) == words_of(2)
    assert talk.of("error") == []


def test_half_a_sample_at_the_end_is_told_and_harmless(served):
    with Talk.to(served.url) as talk:
        talk.send(speech(1) + b"x")
        talk.stop()
        told = talk.rest()
    assert [error["code"] for error in talk.of("error")] == ["half_sample"]
    assert told[-1]["transcription"] == words_of(1)[0]
    assert talk.code == 1000


def test_a_stop_before_anything_else_completes_an_empty_session(served):
    with Talk.to(served.url) as talk:
        talk.stop()
        told = talk.rest()
    assert [one["type"] for one in told] == ["ready", "completed"]
    assert (told[-1]["transcription"], told[-1]["duration"], talk.code) == ("", 0.0, 1000)


def test_a_sender_that_is_faster_than_the_engine_is_slowed_and_loses_nothing(served):
    with Talk.to(served.url, hotwords="sleep:*:0.15") as talk:
        sound = speech(12)
        talk.send(sound)
        talk.stop()
        told = talk.rest()
    asked = [flow["action"] for flow in talk.of("flow")]
    assert asked[:2] == ["pause", "resume"]
    assert texts_of(told) == words_of(12)


def test_events_of_the_session_go_to_the_jobs_other_watchers(served):
    with Talk.to(served.url) as talk:
        job_id = talk.until("ready")["job_uuid"]
        with Talk.to(served.url, f"/api/jobs/{job_id}/ws") as watcher:
            talk.send(speech(1))
            talk.stop()
            talk.rest()
            events = watcher.rest()
    assert [one["segment"]["text"] for one in events if one["type"] == "segment"] == words_of(1)
    assert events[-1]["type"] == "completed"


def test_nothing_went_wrong_unseen(served):
    assert "live_socket_failed" not in served.told()
    assert "Traceback" not in served.told()
