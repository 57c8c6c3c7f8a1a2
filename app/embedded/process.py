"""Child processes of the launcher: each in a group of its own, and none that outlives it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from app.embedded.identity import Identity
from app.embedded.leftovers import forget, note

TETHER = Path(__file__).with_name("tether.py")
MAX_LOG_BYTES = 10 * 1024**2


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What to run, and how it wants to be ended. `log_path` None: it writes where the launcher does."""

    name: str
    argv: Sequence[str]
    run_dir: Path
    environ: Mapping[str, str] | None = None
    log_path: Path | None = None
    end_signal: signal.Signals = signal.SIGTERM
    identity: Identity | None = None

    def tethered(self) -> list[str]:
        """The command line that also ends it when this process ends."""
        own = [sys.executable, "-I", "-S", str(TETHER), str(os.getpid()), str(int(self.end_signal))]
        return [*own, str(self.identity or "-"), *self.argv]


class Process:
    """A command while it runs. Start it from the main thread: it ends with the thread that started it."""

    def __init__(self, command: Command) -> None:
        self.command = command
        self.started_s = 0.0
        self._popen: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, in a new session, so that a Ctrl-C in the terminal is the launcher's alone."""
        output = _opened(self.command.log_path)
        try:
            self._popen = subprocess.Popen(
                self.command.tethered(),
                env=self.command.environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        finally:
            if output:
                output.close()
        self.started_s = time.monotonic()
        note(self.command.run_dir, self.command.name, self._popen.pid, self.command.end_signal)

    @property
    def pid(self) -> int | None:
        """Its process id, once started."""
        return self._popen.pid if self._popen else None

    @property
    def exit_code(self) -> int | None:
        """How it ended; None while it runs or if it was never started."""
        return self._popen.poll() if self._popen else None

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._popen is not None and self._popen.poll() is None

    def ask_to_end(self) -> None:
        """Send the signal that it ends on in its own good order."""
        if self._popen and self.is_running:
            self._popen.send_signal(self.command.end_signal)

    def end(self, within_s: float) -> bool:
        """Wait until it has ended, and kill its whole group if it takes too long; True if it ended by itself."""
        if self._popen is None:
            return True
        try:
            self._popen.wait(max(within_s, 0.01))
            ended_by_itself = True
        except subprocess.TimeoutExpired:
            ended_by_itself = False
        self.kill_group()
        return ended_by_itself

    def kill_group(self) -> None:
        """Kill it and whatever it started that is still there."""
        if self._popen is None:
            return
        with suppress(ProcessLookupError):  # nothing was left
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()
        forget(self.command.run_dir, self.command.name)


def _opened(log_path: Path | None) -> BinaryIO | None:
    """The log, to add to; one that has grown is set aside first, in place of the one before it."""
    if log_path is None:
        return None
    log_path.parent.mkdir(parents=True, exist_ok=True)
    if log_path.exists() and log_path.stat().st_size > MAX_LOG_BYTES:
        log_path.replace(log_path.with_suffix(".old.log"))
    return log_path.open("ab")


def last_error(log_path: Path | None) -> str:
    """The line of a log that tells best why its writer ended; empty if there is none."""
    if log_path is None or not log_path.exists():
        return ""
    return telling_line(log_path.read_text(errors="replace"))


def telling_line(text: str) -> str:
    """The last line about an error among the last twenty, or just the last; empty if there is none."""
    lines = [line for line in text.splitlines()[-20:] if line.strip()]
    errors = [line for line in lines if "FATAL" in line or "PANIC" in line or "rror" in line]
    return (errors or lines or [""])[-1]
