"""The worker's end of a decoder process: start it, hear what it reports, read its sound, know how it died."""

import fcntl
import json
import os
import select
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from app.audio.decoder_protocol import Ended, Opened, Request, heard
from app.domain.errors import ChildDied, MediaUnreadable

ROOT = Path(__file__).parents[2]
PIPE_BYTES = 1024**2
"""16 s of sound: the decoder stays this far ahead of who listens."""
KEPT_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT")
EXIT_S = 5.0
"""Time between the end of its output and its own."""


class DecoderProcess:
    """A decoder at work. Nothing waits longer than `stall_s` for it; the time it waits for us does not count.

    Start it in a thread that lasts as long as it is needed: it is killed with the thread that started it.
    """

    def __init__(self, request: Request, stall_s: float) -> None:
        self._stall_s = stall_s
        self._cpu_s = request.cpu_s
        self._heard = b""
        self._report_fd, theirs = os.pipe()
        try:
            self._process = _started(request, theirs)
        except BaseException:
            os.close(self._report_fd)
            raise
        finally:
            os.close(theirs)
        assert self._process.stdout is not None
        self._sound_fd = self._process.stdout.fileno()
        _widen(self._sound_fd)

    def report(self) -> Opened | Ended:
        """The next thing it reports.

        Raises:
            MediaUnreadable: it died of this recording, or is stuck in it.
            ChildDied: it was killed from outside.
        """
        while b"\n" not in self._heard:
            data = self._read(self._report_fd, select.PIPE_BUF)
            if not data:
                self._raise_how_it_died()
            self._heard += data
        line, _, self._heard = self._heard.partition(b"\n")
        return heard(line)

    def read_into(self, view: memoryview) -> int:
        """Fill `view` with the next of its sound; returns the bytes read, fewer than asked only at the end.

        Raises:
            MediaUnreadable: it is stuck.
        """
        n_read = 0
        while n_read < len(view):
            self._await(self._sound_fd)
            n_new = os.readv(self._sound_fd, [view[n_read:]])
            if n_new == 0:
                break
            n_read += n_new
        return n_read

    def close(self) -> None:
        """End it, whatever it is doing."""
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        os.close(self._report_fd)

    def _read(self, fd: int, n_bytes: int) -> bytes:
        self._await(fd)
        return os.read(fd, n_bytes)

    def _await(self, fd: int) -> None:
        poller = select.poll()
        poller.register(fd, select.POLLIN)
        if not poller.poll(self._stall_s * 1000):
            self._process.kill()
            raise MediaUnreadable(reason=f"nothing could be got out of it for {self._stall_s:g} s")

    def _raise_how_it_died(self) -> None:
        code = self._exit_code()
        if code == -signal.SIGXCPU:
            raise MediaUnreadable(reason=f"decoding it takes more than {self._cpu_s} s of processor time")
        if code in {-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT}:
            raise ChildDied(reason=f"the decoder was ended by {signal.Signals(-code).name}")
        if code < 0:
            raise MediaUnreadable(reason=f"it makes the decoder crash ({signal.Signals(-code).name})")
        raise ChildDied(reason=f"the decoder ended with exit status {code}")

    def _exit_code(self) -> int:
        with suppress(subprocess.TimeoutExpired):
            return self._process.wait(EXIT_S)
        self._process.kill()
        return self._process.wait()


def _started(request: Request, report_fd: int) -> subprocess.Popen[bytes]:
    """It gets none of our environment: there may be secrets in it, and it meets hostile files."""
    argument = json.dumps({**asdict(request), "report_fd": report_fd, "parent_pid": os.getpid()})
    environ = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    return subprocess.Popen(
        [sys.executable, "-B", "-m", "app.audio.decoder", argument],
        cwd=ROOT,
        env={**environ, "MALLOC_ARENA_MAX": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        bufsize=0,
        pass_fds=[report_fd],
    )


def _widen(fd: int) -> None:
    """More room in the pipe, where the system allows it (Linux; else it stays as it is)."""
    with suppress(OSError, AttributeError):
        fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
