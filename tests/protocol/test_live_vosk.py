"""vosk-server's protocol, as its own clients speak it: in lockstep, one answer to each message."""

import json
from contextlib import contextmanager

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.live import speech, words_of

pytestmark = pytest.mark.usefixtures("worker")
CHUNK_BYTES = 8_000


@contextmanager
def vosk(served, path: str = "/vosk", port: int | None = None):
    with connect(f"ws://127.0.0.1:{port or served.port}{path}") as socket:
        yield socket


def ask(socket, message) -> dict:
    socket.send(message if isinstance(message, bytes) else json.dumps(message))
    return json.loads(socket.recv(20))


def configure(socket, **config) -> None:
    socket.send(json.dumps({"config": {"sample_rate": 16_000, **config}}))


def lockstep(socket, sound: bytes, **config) -> list[dict]:
    """What vosk-server's `test.py` does: configure, then send and hear in turn, then the end."""
    configure(socket, **config)
    answers = [ask(socket, sound[at : at + CHUNK_BYTES]) for at in range(0, len(sound), CHUNK_BYTES)]
    answers.append(ask(socket, {"eof": 1}))
    with pytest.raises(ConnectionClosed):
        socket.recv(10)
    assert socket.close_code == 1000
    return answers


def said(answers: list[dict]) -> list[str]:
    return [answer["text"] for answer in answers if answer.get("text")]


def test_a_client_in_lockstep_runs_to_the_end(served):
    sound = speech(3)
    with vosk(served) as socket:
        answers = lockstep(socket, sound)
    assert len(answers) == -(-len(sound) // CHUNK_BYTES) + 1
    assert " ".join(said(answers)) == " ".join(words_of(3))
    assert all("partial" in answer or "text" in answer for answer in answers)
    assert any(answer.get("partial") for answer in answers)
    final = next(answer for answer in answers if answer.get("text"))
    assert [word["word"] for word in final["result"]] == words_of(3)[0].split()
    assert set(final["result"][0]) == {"conf", "start", "end", "word"}
    assert final["result"][0]["start"] == pytest.approx(0.3, abs=0.02)


def test_an_answer_waits_until_its_sound_was_heard(served):
    """The words of one message are in its own answer, or in the next if that ends their utterance."""
    with vosk(served) as socket:
        configure(socket)
        sound = speech(1, n_words=1)
        told = ask(socket, sound[: int(0.55 * 32_000) // 2 * 2])
    assert told["partial"] == words_of(1, 1)[0]


def test_answers_come_in_order_to_a_client_that_does_not_wait(served):
    sound = speech(2)
    with vosk(served) as socket:
        configure(socket)
        chunks = [sound[at : at + CHUNK_BYTES] for at in range(0, len(sound), CHUNK_BYTES)]
        for chunk in chunks:
            socket.send(chunk)
        socket.send('{"eof" : 1}')
        answers = [json.loads(message) for message in socket]
    assert len(answers) == len(chunks) + 1
    assert " ".join(said(answers)) == " ".join(words_of(2))


def test_words_are_left_out_where_they_are_not_wanted(served):
    with vosk(served) as socket:
        assert all("result" not in answer for answer in lockstep(socket, speech(1), words=0))


def test_alternatives_are_given_where_they_are_wanted(served):
    with vosk(served) as socket:
        answers = lockstep(socket, speech(1), max_alternatives=3)
    finals = [answer for answer in answers if "alternatives" in answer]
    assert finals[0]["alternatives"][0]["text"] == words_of(1)[0]
    assert set(finals[0]["alternatives"][0]) == {"confidence", "text"}


def test_a_rate_may_be_a_float_and_is_8000_when_never_said(served):
    with vosk(served) as socket:
        configure(socket, sample_rate=16_000.0)
        assert "partial" in ask(socket, bytes(3_200))
        assert ask(socket, {"eof": 1}) == {"text": ""}
    with vosk(served) as socket:
        socket.send(json.dumps({"config": {"phrase_list": ["one", "two"]}}))
        assert "partial" in ask(socket, bytes(3_200))


def test_a_reset_says_what_is_open_and_the_stream_goes_on(served):
    sound = speech(1, n_words=2)[: int(0.8 * 32_000)]
    with vosk(served) as socket:
        configure(socket)
        ask(socket, sound)
        assert ask(socket, {"reset": 1})["text"] == words_of(1, 2)[0]
        assert ask(socket, {"reset": 1}) == {"text": ""}
        ask(socket, sound)
        assert ask(socket, {"eof": 1})["text"] == words_of(1, 2)[0]


def test_an_end_without_a_beginning_is_answered(served):
    with vosk(served) as socket:
        assert ask(socket, {"eof": 1}) == {"text": ""}
        with pytest.raises(ConnectionClosed):
            socket.recv(5)
        assert socket.close_code == 1000


@pytest.mark.parametrize(
    "message",
    ["hello", json.dumps({"config": {"sample_rate": "fast"}}), json.dumps({"config": 3})],
    ids=["words", "rate", "config"],
)
def test_what_cannot_be_understood_is_told_and_closed(served, message):
    with vosk(served) as socket:
        socket.send(message)
        assert json.loads(socket.recv(5))["error"]
        with pytest.raises(ConnectionClosed):
            socket.recv(5)
        assert socket.close_code == 1008


def test_the_model_of_one_client_is_not_that_of_another(served):
    with vosk(served) as one, vosk(served) as other:
        configure(one, model="nonsense")
        configure(other)
        one.send(bytes(3_200))
        assert "error" in json.loads(one.recv(5))
        assert "partial" in ask(other, bytes(3_200))
        assert ask(other, {"eof": 1}) == {"text": ""}


def test_a_port_of_its_own_speaks_it_at_the_root(served, vosk_port):
    with vosk(served, "/", vosk_port) as socket:
        assert said(lockstep(socket, speech(1))) == words_of(1)
    assert httpx.get(served.url).headers["Content-Type"].startswith("text/html")
