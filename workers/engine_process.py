"""The supervisor's side of a child process: start it, talk to it, end it."""

import os
import pickle
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection, Pipe

import structlog

from app.domain.errors import ChildDied
from workers.messages import FromChild, Ready

log = structlog.get_logger(__name__)

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class EngineProcess:
    """A child that holds the models warm and does one job at a time."""

    def __init__(
        self,
        mode: str,
        settings: dict[str, str] | None = None,
        module: str = "workers.child",
        inherited: Sequence[int] = (),
    ) -> None:
        """`settings` go into its environment, over those of this process; `module` is what it runs.

        It inherits the files `inherited`, and is told their numbers in the end of its command line.
        """
        ours, theirs = Pipe()
        self._pipe: Connection = ours
        self._heard = select.poll()
        self._heard.register(ours.fileno(), select.POLLIN)
        command = [sys.executable, "-m", module, mode, str(theirs.fileno()), str(os.getpid())]
        command += [str(fd) for fd in inherited]
        # Its own group: a signal from the terminal is for the supervisor, who knows what to do about it.
        self._process = subprocess.Popen(
            command,
            pass_fds=[theirs.fileno(), *inherited],
            env={**os.environ, **(settings or {})},
            start_new_session=True,
        )
        theirs.close()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def wait_ready(self, timeout_s: float) -> None:
        """Wait until it has started.

        Raises:
            ChildDied: it ended, or did not start in time.
        """
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if isinstance(self.receive(0.5), Ready):
                return
        raise ChildDied(reason=f"it did not start within {timeout_s:.0f} s")

    def send(self, message: object) -> None:
        """Tell it something.

        Raises:
            ChildDied: it has ended.
        """
        try:
            self._pipe.send_bytes(pickle.dumps(message))
        except OSError as error:
            raise ChildDied(reason=self.how_it_ended()) from error

    def receive(self, timeout_s: float) -> FromChild | None:
        """What it says next, or None if it says nothing for so long.

        Raises:
            ChildDied: it has ended.
        """
        try:
            if not self._heard.poll(1000 * max(0.0, timeout_s)):
                return None
            message: FromChild = self._pipe.recv()
        except (EOFError, OSError) as error:
            raise ChildDied(reason=self.how_it_ended()) from error
        return message

    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def rss_bytes(self) -> int:
        """Memory it holds; 0 if it has ended."""
        try:
            with open(f"/proc/{self.pid}/statm", encoding="ascii") as file:  # noqa: PTH123 - no path worth an object
                return int(file.read().split()[1]) * PAGE_BYTES
        except (OSError, IndexError):
            return 0

    def kill(self) -> None:
        """End it and all it started, at once."""
        if self._process.poll() is None:
            os.killpg(self.pid, signal.SIGKILL)
            self._process.wait()
        self._pipe.close()

    def how_it_ended(self) -> str:
        """The signal or exit status it ended with, in words."""
        try:
            code = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return "it closed its pipe"
        if code < 0:
            return f"killed by {signal.Signals(-code).name}"
        return f"exit status {code}"
