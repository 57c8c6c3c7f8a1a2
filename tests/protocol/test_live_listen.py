"""`python -m app listen`, as people run it."""

import json
import os
import subprocess
import sys
import wave

import pytest

from tests.live import speech, words_of
from tests.sounds import DEMO
from tests.workers import ROOT

pytestmark = pytest.mark.usefixtures("worker")


def listen(*arguments: object, sound: bytes | None = None) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "app", "listen", *map(str, arguments)],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.endswith("_URL")},
        input=sound,
        capture_output=True,
        timeout=90,
        check=False,
    )


@pytest.fixture
def recording(tmp_path):
    path = tmp_path / "tones.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(speech(3))
    return path


def test_a_file_is_said_line_by_line(served, recording):
    ended = listen(recording, "--fast", "--server", served.url)
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert ended.stdout.decode().splitlines() == words_of(3)


def test_standard_input_is_heard_as_it_comes(served):
    ended = listen("-", "--json", "--server", served.url, sound=speech(2))
    told = [json.loads(line) for line in ended.stdout.splitlines()]
    assert ended.returncode == 0
    assert [one["segment"]["text"] for one in told if one["type"] == "final"] == words_of(2)
    assert {one["type"] for one in told} <= {"partial", "final"}


def test_a_recording_in_english_is_heard_by_the_engine_that_comes_with_us(served):
    ended = listen(DEMO / "garden.flac", "--fast", "--engine", "pocketsphinx", "--server", served.url)
    assert ended.returncode == 0, ended.stderr
    assert "sun was shining" in ended.stdout.decode()


def test_what_the_service_refuses_is_told_in_its_words(served, recording):
    ended = listen(recording, "--endpoint-ms", "1", "--server", served.url)
    assert ended.returncode == 1
    assert b"endpointMs" in ended.stderr


def test_what_is_no_recording_is_told(served, tmp_path):
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"no sound")
    for path in (bad, tmp_path / "missing.wav"):
        ended = listen(path, "--server", served.url)
        assert ended.returncode == 1
        assert ended.stderr.count(b"\n") == 1


def test_wrong_usage_and_a_service_of_another_kind_have_their_exit_codes(served, recording):
    assert listen(recording, "--server", "nowhere").returncode == 2
    assert listen(recording, "--server", f"{served.url}/docs").returncode == 3
