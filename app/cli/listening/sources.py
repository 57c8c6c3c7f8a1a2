"""Where live sound comes from: a microphone, a recording, standard input. All give s16le, mono, 16 kHz."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from app.audio.decode import decode
from app.audio.sound import RATE_HZ
from app.engines.pcm16 import to_pcm16

CHUNK_S = 0.1
CHUNK_BYTES = int(RATE_HZ * CHUNK_S) * 2

RECORDERS = (
    ("arecord", "-q", "-t", "raw", "-f", "S16_LE", "-r", str(RATE_HZ), "-c", "1"),
    ("parec", "--raw", "--format=s16le", f"--rate={RATE_HZ}", "--channels=1"),
    (
        "ffmpeg",
        "-loglevel",
        "error",
        "-f",
        "pulse",
        "-i",
        "default",
        "-ar",
        str(RATE_HZ),
        "-ac",
        "1",
        "-f",
        "s16le",
        "-",
    ),
)


class NoMicrophone(Exception):
    """Nothing here can record."""


class MicrophoneLost(Exception):
    """The recording program ended, though nobody asked it to; the message is its own last word."""


def recording(path: Path, *, is_paced: bool) -> Iterator[bytes]:
    """A recording of any format; paced as if it were being said now, or as fast as it goes.

    Raises:
        MediaError: it cannot be decoded.
    """
    began_s, n_bytes = time.monotonic(), 0
    with decode(path) as decoding:
        for pcm in decoding:
            sound = to_pcm16(pcm)
            for at in range(0, len(sound), CHUNK_BYTES):
                chunk = sound[at : at + CHUNK_BYTES]
                n_bytes += len(chunk)
                if is_paced:
                    time.sleep(max(0.0, began_s + n_bytes / 2 / RATE_HZ - time.monotonic()))
                yield chunk


def standard_input() -> Iterator[bytes]:
    """Raw sound as it comes, until it ends."""
    yield from _read(sys.stdin.buffer)


class Microphone:
    """The first recording program that is on this machine."""

    def __init__(self) -> None:
        command = next((command for command in RECORDERS if shutil.which(command[0])), None)
        if command is None:
            names = ", ".join(command[0] for command in RECORDERS)
            raise NoMicrophone(f"none of {names} is on this machine; give a FILE, or - for standard input")
        self._name = command[0]
        self._is_stopped = False
        self._complaints = TemporaryFile()  # noqa: SIM115 - it lives as long as we do
        # A session of its own: a Ctrl-C in the terminal is for us, who then stop it.
        self._recorder = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            start_new_session=True,
        )

    def chunks(self) -> Iterator[bytes]:
        """What it hears, until it is stopped.

        Raises:
            MicrophoneLost: it ended before; all that it heard until then was given.
        """
        assert self._recorder.stdout is not None
        yield from _read(self._recorder.stdout)
        status = self._recorder.wait()
        if not self._is_stopped:
            raise MicrophoneLost(f"{self._name} stopped recording: {self._last_word() or f'exit status {status}'}")

    def stop(self) -> None:
        """Hear no more."""
        self._is_stopped = True
        self._recorder.terminate()

    def _last_word(self) -> str:
        self._complaints.seek(0)
        lines = self._complaints.read().decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _read(source: IO[bytes]) -> Iterator[bytes]:
    rest = b""
    while data := source.read1(CHUNK_BYTES):  # type: ignore[attr-defined]
        data = rest + data
        n_whole = len(data) // 2 * 2
        rest = data[n_whole:]
        yield data[:n_whole]
