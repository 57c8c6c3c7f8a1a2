"""What is wrong on a live socket is told by a message and a close code, and leaves nothing behind."""

import json
import os
import socket
import struct
import time

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from app.i18n import messages_fr
from app.models.project import Project
from app.queues.live_keys import keys_of
from tests.live import speech, words_of
from tests.live_socket import CREATE_STREAM, STREAM, STREAM_RESULT, Talk, refused
from tests.protocol.conftest import IDLE_S, at_most
from tests.workers import wait_for

pytestmark = pytest.mark.usefixtures("worker")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("sampleRate", "7999"),
        ("sampleRate", "96000"),
        ("sampleRate", "fast"),
        ("encoding", "mp3"),
        ("endpointMs", "0"),
        ("interimResults", "perhaps"),
        ("engine", "nonsense"),
        ("colour", "blue"),
    ],
)
def test_wrong_options_of_a_socket_are_named(served, left_open, option, value):
    with Talk.to(served.url, **{option: value}) as talk:
        assert refused(talk) == ("invalid_fields", 1008)
    assert list(talk.told[-1]["errors"]) == [option]
    assert talk.told[-1]["message"] == "Some values are not valid."


def test_wrong_options_of_a_job_are_named(served, left_open):
    answer = httpx.post(served.url + CREATE_STREAM, json={"sampleRate": 1, "colour": "blue"})
    assert (answer.status_code, set(answer.json()["errors"])) == (422, {"sampleRate", "colour"})


def test_messages_are_in_the_language_of_the_client(served, left_open):
    with Talk.to(served.url, headers={"Accept-Language": "fr"}, colour="blue") as talk:
        refused(talk)
    assert talk.told[-1]["message"] == messages_fr.ERRORS["invalid_fields"]


@pytest.mark.parametrize(
    "text",
    ["", "hello", "[]", "3", '{"type": "sing"}', '{"type": "stop", "at": 3}', "{" * 100_000, '"\\ud800"'],
    ids=["empty", "words", "list", "number", "unknown", "more", "deep", "surrogate"],
)
def test_text_that_says_nothing_known_is_refused(served, house, left_open, text):
    with Talk.to(served.url) as talk:
        talk.until("ready")
        talk.socket.send(text)
        code, close = refused(talk)
    assert code in {"bad_request", "invalid_fields"}
    assert close == 1008
    end(served, talk)


def end(served, talk: Talk) -> None:
    """Come back and end the session properly, so that the next test has room."""
    ready = talk.told[0]
    with Talk.to(served.url, job_uuid=ready["job_uuid"], resume_token=ready["resume_token"]) as again:
        again.stop()
        again.rest()
    assert again.code == 1000


def test_a_frame_that_is_too_large_is_refused_before_it_is_kept(served, left_open):
    with Talk.to(served.url) as talk:
        talk.until("ready")
        before_mb = served.rss_mb()
        with pytest.raises((OSError, Exception)):
            for _ in range(3):
                talk.socket.send(bytes(100 * 1024 * 1024))
        assert refused(talk) == ("frame_too_large", 1009)
        assert served.rss_mb() - before_mb < 20
    end(served, talk)


def test_a_message_of_many_frames_is_too_large_all_the_same(served, left_open):
    with Talk.to(served.url) as talk:
        talk.until("ready")
        with pytest.raises(Exception):  # noqa: B017
            talk.socket.send(bytes(100_000) for _ in range(1000))
        assert refused(talk) == ("frame_too_large", 1009)
    end(served, talk)


def test_a_frame_of_the_largest_size_is_taken(served, left_open):
    with Talk.to(served.url, encoding="pcm_f32le", sampleRate=48_000) as talk:
        talk.socket.send(bytes(1024 * 1024))
        talk.stop()
        assert talk.until("completed")["duration"] == pytest.approx(1024 * 1024 / 4 / 48_000, abs=0.001)


def test_garbage_in_place_of_frames_is_told_and_closed(served, left_open):
    with Talk.to(served.url) as talk:
        talk.until("ready")
        talk.socket.socket.sendall(os.urandom(64).replace(b"\x88", b"\x00") + b"\xff" * 64)
        assert refused(talk) == ("bad_request", 1002)
    end(served, talk)


def test_an_encoding_that_the_bytes_are_not_in_is_told(served, left_open):
    with Talk.to(served.url, encoding="opus") as talk:
        talk.until("ready")
        talk.send(os.urandom(64_000))
        talk.stop()
        told = talk.rest()
    assert told[-1]["type"] == "error"
    assert (told[-1]["code"], talk.code) == ("media_unreadable", 1008)


@pytest.mark.parametrize("unknown", ["nonsense", "00000000-0000-4000-8000-000000000000"])
def test_an_unknown_session_is_refused_before_the_connection_opens(served, unknown):
    with pytest.raises(InvalidStatus) as refusal, Talk.to(served.url, job_uuid=unknown):
        pass
    assert refusal.value.response.status_code == 404


def test_a_session_of_another_project_is_not_there(served, house):
    with house.database.work() as work:
        work.session.merge(Project(id="theirs", name="theirs"))
    job_id = httpx.post(served.url + CREATE_STREAM, json={}).json()["data"]["job_uuid"]
    house.change(job_id, project_id="theirs")
    with pytest.raises(InvalidStatus) as refusal, Talk.to(served.url, job_uuid=job_id):
        pass
    assert refusal.value.response.status_code == 404
    assert httpx.get(served.url + STREAM_RESULT, params={"job_uuid": job_id}).status_code == 404
    house.change(job_id, project_id="default")
    httpx.post(f"{served.url}/api/jobs/{job_id}/cancel")


@pytest.mark.parametrize("token", [None, "not-it"])
def test_a_session_is_not_gone_on_with_without_its_token(served, left_open, token):
    with Talk.to(served.url) as talk:
        job_id = talk.until("ready")["job_uuid"]
        query = {"resume_token": token} if token else {}
        with Talk.to(served.url, job_uuid=job_id, **query) as thief:
            assert refused(thief) == ("token_refused", 1008)
        talk.send(speech(1))
        talk.stop()
        assert talk.until("completed")["transcription"] == words_of(1)[0]


def test_options_are_not_taken_where_a_session_is_gone_on_with(served, left_open):
    job_id = httpx.post(served.url + CREATE_STREAM, json={}).json()["data"]["job_uuid"]
    with Talk.to(served.url, job_uuid=job_id, sampleRate=8000) as talk:
        assert refused(talk) == ("invalid_fields", 1008)
    httpx.post(f"{served.url}/api/jobs/{job_id}/cancel")


def test_a_plain_request_to_the_socket_is_a_clean_refusal(served):
    assert httpx.get(served.url + STREAM).status_code == 400
    assert httpx.get(f"{served.url}/vosk").json()["code"] == "bad_request"


def test_a_client_that_says_nothing_is_closed_and_can_come_back(served, left_open):
    with Talk.to(served.url) as talk:
        talk.until("ready")
        began_s = time.monotonic()
        assert refused(talk) == ("idle_timeout", 1008)
        assert time.monotonic() - began_s > IDLE_S - 1
    end(served, talk)


def test_keepalives_keep_a_silent_client(served, left_open):
    with Talk.to(served.url) as talk:
        talk.until("ready")
        for _ in range(3):
            time.sleep(IDLE_S / 2)
            talk.say(type="keepalive")
        talk.stop()
        talk.until("completed")


def test_a_socket_that_closes_leaves_no_owner_behind(served, house, left_open):
    with Talk.to(served.url) as talk:
        job_id = talk.until("ready")["job_uuid"]
        wait_for(lambda: house.client.exists(keys_of(job_id)[2]))
    wait_for(lambda: not house.client.exists(keys_of(job_id)[2]))
    end(served, talk)


def test_a_client_that_vanishes_leaves_no_owner_behind(served, house, left_open):
    with Talk.to(served.url) as talk:
        job_id = talk.until("ready")["job_uuid"]
        linger = struct.pack("ii", 1, 0)
        talk.socket.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        talk.drop()
        wait_for(lambda: not house.client.exists(keys_of(job_id)[2]))
    end(served, talk)


def test_a_cancelled_session_is_told_so(served, left_open):
    with Talk.to(served.url) as talk:
        job_id = talk.until("ready")["job_uuid"]
        talk.send(speech(1))
        httpx.post(f"{served.url}/api/jobs/{job_id}/cancel")
        assert refused(talk) == ("cancelled", 1008)


def test_a_project_that_may_have_no_more_sessions_is_told(served, house):
    with at_most(house, 0):
        answer = httpx.post(served.url + CREATE_STREAM, json={})
        assert (answer.status_code, answer.json()["code"]) == (429, "too_many_sessions")
        assert "Retry-After" in answer.headers
        with Talk.to(served.url) as talk:
            assert refused(talk) == ("too_many_sessions", 1008)
        assert talk.told[-1]["retry_after_s"] > 0


def test_nothing_went_wrong_unseen(served):
    for line in served.told().splitlines():
        assert "live_socket_failed" not in line, json.loads(line)
    assert "Traceback" not in served.told()
