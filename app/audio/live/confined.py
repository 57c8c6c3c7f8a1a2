"""Opus decoded in a process of its own for each session: a stream that breaks its decoder costs that session alone.

What is fed comes from anybody, and goes through a C library. The process is confined like the one that decodes
recordings: some memory, no file, no network. It is forked from one that has loaded the code (`nursery`). Nobody waits
for it: who asks does something else until the answer is there, or overdue.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress

from app.audio.live import asking
from app.audio.live.base import RestartPoint
from app.audio.live.line import Line
from app.audio.live.points import Points
from app.audio.sound import Pcm
from app.domain.errors import ChildDied

STALL_S = 5.0
"""For the decoding of some tenths of a second of sound."""

START_S = 20.0
"""For the first decoder of a nursery, which has to load the code, on a busy machine."""

MOST_POINTS = 10_000
"""Seconds of sound without a word said for good, or a silence, which there cannot be."""

ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""Only a process with one thread is safely forked."""


class Nursery:
    """Gives each session a decoder; starts its process with the first, and again if that is lost, or hangs.

    Use it in a thread that lasts as long as it is needed: the process is killed with the thread that started it.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None
        self._hung: list[tuple[subprocess.Popen[bytes], socket.socket]] = []

    @property
    def pid(self) -> int:
        """The process that decoders are forked from; 0 before the first."""
        return self._process.pid if self._process else 0

    def decoder(self, start: RestartPoint) -> "ConfinedDecoder":
        """A decoder of Opus that expects the bytes from `start` on; whether it has started, its first answer tells.

        Raises:
            ChildDied: it was lost at once; another try may succeed.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._give(theirs.fileno())
            except OSError:
                self.close()
                self._give(theirs.fileno())
        return ConfinedDecoder(ours, start, self._replacing(self.pid))

    def close(self) -> None:
        """End it, and with it all its decoders."""
        self._set_aside()
        for process, line in self._hung:
            process.kill()
            process.wait()
            line.close()
        self._hung = []

    def _replacing(self, pid: int) -> Callable[[], None]:
        """What to do if a decoder of this process does not start: the next comes from another."""

        def replace() -> None:
            if pid == self.pid:
                self._set_aside()

        return replace

    def _set_aside(self) -> None:
        """Ask it for nothing more; decoders that it has started go on."""
        if self._process is not None and self._line is not None:
            self._hung.append((self._process, self._line))
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
    """A `Decoding` that has the work done by a process."""

    def __init__(self, end: socket.socket, start: RestartPoint, has_not_started: Callable[[], None]) -> None:
        """`has_not_started` is called if it is overdue before it has begun."""
        self._has_not_started = has_not_started
        self._line = Line(end, asking.MAX_ANSWER_BYTES)
        self._points = Points(start)
        self._process_fd = -1
        self._within_s = START_S
        self._ask(asking.start(start))

    @property
    def fd(self) -> int:
        """See `Decoding`."""
        return self._line.fileno()

    def feed(self, data: bytes) -> None:
        """See `Decoding`; raises as `answer` does."""
        self._ask(asking.FEED + data)

    def flush(self) -> None:
        """See `Decoding`; raises as `answer` does."""
        self._ask(asking.FLUSH)

    def answer(self) -> Pcm | None:
        """See `Decoding`.

        Raises:
            MediaUnreadable: see there.
            ChildDied: the decoder was lost, perhaps through what it was fed, or takes too long.
        """
        message = self._received()
        if message is not None and self._process_fd < 0:
            self._greet(asking.pid_of(message))
            message = self._received()
        if message is not None:
            return self._taken(asking.decoded_of(message))
        if self.is_overdue():
            if self._process_fd < 0:
                self._has_not_started()
            raise ChildDied(reason=f"the decoder of its sound was at one piece of it for {self._within_s:.0f} s")
        return None

    def is_overdue(self) -> bool:
        """See `Decoding`."""
        return time.monotonic() > self._asked_s + self._within_s

    def restart_at(self, sample: int) -> RestartPoint:
        """See `Decoding`."""
        return self._points.before(sample)

    def close(self) -> None:
        """End the process, whatever it is at."""
        self._line.close()
        if self._process_fd >= 0:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._process_fd, signal.SIGKILL)
            os.close(self._process_fd)
        self._process_fd = -1

    def _ask(self, question: bytes) -> None:
        self._asked_s = time.monotonic()
        try:
            self._line.send(question)
        except OSError as error:
            raise _broke_down() from error

    def _received(self) -> bytes | None:
        try:
            return self._line.receive()
        except (OSError, EOFError) as error:
            raise _broke_down() from error

    def _greet(self, pid: int) -> None:
        """It has started: from now on it is to be quick."""
        try:
            self._process_fd = os.pidfd_open(pid)
        except OSError as error:
            raise _broke_down() from error
        self._asked_s, self._within_s = time.monotonic(), STALL_S

    def _taken(self, decoded: asking.Decoded) -> Pcm:
        self._points.add(decoded.points)
        self._points.header = decoded.header or self._points.header
        if len(self._points) > MOST_POINTS:
            raise _broke_down()
        return decoded.pcm


def _broke_down() -> ChildDied:
    return ChildDied(reason="the decoder of its sound broke down")
