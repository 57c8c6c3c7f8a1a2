"""Opus decoded in a process of its own for each session: a stream that breaks its decoder costs that session alone.

What is fed comes from anybody, and goes through a C library. The process is confined like the one that decodes
recordings: some memory, no file, no network. It is forked from one that has loaded the code (`nursery`).
"""

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe

from app.audio.live import asking
from app.audio.live.base import RestartPoint
from app.audio.sound import Pcm
from app.domain.errors import ChildDied

STALL_S = 5.0
"""For the decoding of some tenths of a second of sound; all sessions of a child wait meanwhile."""

START_S = 20.0
"""For the first decoder of a nursery, which has to load the code, on a busy machine."""

ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""Only a process with one thread is safely forked."""


class Nursery:
    """Gives each session a decoder; starts its process with the first, and again if that is lost.

    Use it in a thread that lasts as long as it is needed: the process is killed with the thread that started it.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None

    @property
    def pid(self) -> int:
        """The process that decoders are forked from; 0 before the first."""
        return self._process.pid if self._process else 0

    def decoder(self, start: RestartPoint) -> "ConfinedDecoder":
        """A decoder of Opus that expects the bytes from `start` on.

        Raises:
            ChildDied: it does not start; another try may succeed.
        """
        ours, theirs = Pipe()
        with theirs:
            try:
                self._give(theirs.fileno())
            except OSError:
                self.close()
                self._give(theirs.fileno())
        return ConfinedDecoder(ours, start)

    def close(self) -> None:
        """End it, and with it all its decoders."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        if self._line is not None:
            self._line.close()
        self._process = self._line = None

    def _give(self, fd: int) -> None:
        if self._line is None:
            self._start()
        assert self._line is not None
        socket.send_fds(self._line, [b"\0"], [fd])

    def _start(self) -> None:
        self._line, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-m", "app.audio.live.nursery", str(theirs.fileno()), str(os.getpid())]
            self._process = subprocess.Popen(
                command,
                pass_fds=[theirs.fileno()],
                env={**os.environ, **ONE_THREAD},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )


class ConfinedDecoder:
    """A `LiveDecoder` that has the work done by a process, and waits for it no longer than `STALL_S`."""

    def __init__(self, pipe: Connection, start: RestartPoint) -> None:
        self._pipe = pipe
        self._process_fd = os.pidfd_open(asking.pid_of(self._asked(asking.start(start), START_S)))

    def feed(self, data: bytes) -> Pcm:
        """See `LiveDecoder`.

        Raises:
            MediaUnreadable: see there.
            ChildDied: the decoder was lost, perhaps through what it was fed.
        """
        return asking.sound_of(self._asked(asking.FEED + data))

    def flush(self) -> Pcm:
        """See `LiveDecoder`; raises as `feed` does."""
        return asking.sound_of(self._asked(asking.FLUSH))

    def restart_at(self, sample: int) -> RestartPoint:
        """See `LiveDecoder`; raises as `feed` does."""
        return asking.point_of(self._asked(asking.restart_at(sample)))

    def close(self) -> None:
        """End the process, whatever it is at."""
        self._pipe.close()
        if self._process_fd >= 0:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._process_fd, signal.SIGKILL)
            os.close(self._process_fd)
        self._process_fd = -1

    def _asked(self, question: bytes, within_s: float | None = None) -> bytes:
        within_s = STALL_S if within_s is None else within_s
        try:
            self._pipe.send_bytes(question)
            if self._pipe.poll(within_s):
                return self._pipe.recv_bytes(asking.MAX_ANSWER_BYTES)
        except (OSError, EOFError) as error:
            raise ChildDied(reason="the decoder of its sound broke down") from error
        raise ChildDied(reason=f"the decoder of its sound was at one piece of it for {within_s:.0f} s")
