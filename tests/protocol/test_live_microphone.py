"""`python -m app listen` at a microphone: the recording program is a stand-in, found on PATH as the real ones are."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.http_api import free_port
from tests.live import speech, words_of
from tests.workers import ROOT, wait_for

pytestmark = pytest.mark.usefixtures("worker")

MICROPHONE = """#!{python}
import pathlib, sys, time
assert "16000" in " ".join(sys.argv), sys.argv
here = pathlib.Path(__file__).parent
sound = (here / "sound").read_bytes()
for at in range(0, len(sound), 3200):
    sys.stdout.buffer.write(sound[at : at + 3200])
    sys.stdout.buffer.flush()
    time.sleep(0.02)
(here / "said").touch()
{then}
"""
GOES_ON = "time.sleep(600)"


class Mouth:
    """A folder with a recording program in it, and somebody who listens to that."""

    def __init__(self, folder: Path, name: str, sound: bytes, then: str) -> None:
        self.folder = folder
        self.program = folder / name
        self.program.write_text(MICROPHONE.format(python=sys.executable, then=then))
        self.program.chmod(0o755)
        (folder / "sound").write_bytes(sound)

    def listen(self, url: str) -> subprocess.Popen[bytes]:
        """The command, as a terminal starts it: in a group of its own."""
        self.listener = subprocess.Popen(
            [sys.executable, "-m", "app", "listen", "--server", url],
            cwd=ROOT,
            env={**os.environ, "PATH": str(self.folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        return self.listener

    def said(self) -> bool:
        return (self.folder / "said").exists()

    def ctrl_c(self) -> None:
        os.killpg(self.listener.pid, signal.SIGINT)

    def ended(self) -> tuple[int, list[str], str]:
        """Exit code, lines of words, complaints."""
        out, err = self.listener.communicate(timeout=60)
        return self.listener.returncode, out.decode().splitlines(), err.decode()

    def is_recording(self) -> bool:
        return any(str(self.program) in (one.info["cmdline"] or ()) for one in psutil.process_iter(["cmdline"]))


@pytest.fixture
def mouth(tmp_path):
    made: list[Mouth] = []

    def make(name: str = "arecord", sound: bytes = b"", then: str = GOES_ON) -> Mouth:
        made.append(Mouth(tmp_path, name, sound, then))
        return made[-1]

    yield make
    for one in made:
        one.listener.kill()
        one.listener.wait()


Make = Callable[..., Mouth]


def test_ctrl_c_ends_the_session_and_the_last_words_are_still_said(served, mouth: Make):
    unfinished = speech(2).rstrip(b"\0")
    one = mouth("arecord", unfinished + bytes(len(unfinished) % 2))
    one.listen(served.url)
    wait_for(one.said)
    one.ctrl_c()
    assert one.ended() == (0, words_of(2), "")
    assert not one.is_recording()


def test_a_second_ctrl_c_ends_it_at_once(mouth: Make):
    one = mouth("arecord", speech(1))
    one.listen(f"http://127.0.0.1:{free_port()}")
    wait_for(one.said)
    one.ctrl_c()
    wait_for(lambda: not one.is_recording())
    assert one.listener.poll() is None
    time.sleep(0.2)
    one.ctrl_c()
    assert one.ended() == (130, [], "Interrupted.\n")


def test_a_machine_without_a_recording_program_is_told_which_there_are(served, mouth: Make):
    one = mouth("some-other-program")
    one.listen(served.url)
    code, words, complaints = one.ended()
    assert (code, words) == (2, [])
    assert "arecord, parec, ffmpeg" in complaints


def test_a_device_that_is_busy_is_told_in_the_programs_words(served, mouth: Make):
    busy = "sys.exit('ALSA lib pcm.c: open failed\\naudio open error: Device or resource busy')"
    one = mouth("parec", then=busy)
    one.listen(served.url)
    assert one.ended() == (1, [], "parec stopped recording: audio open error: Device or resource busy\n")


@pytest.mark.parametrize("then", ["sys.exit('the device is gone')", "sys.exit(0)"])
def test_a_microphone_lost_in_the_middle_costs_no_word_and_is_told(served, mouth: Make, then):
    one = mouth("ffmpeg", speech(2), then)
    one.listen(served.url)
    why = "the device is gone" if "gone" in then else "exit status 0"
    assert one.ended() == (1, words_of(2), f"ffmpeg stopped recording: {why}\n")
