"""A worker process: slots in threads, housekeeping beside them, signals. It imports no ML."""

import os
import signal
import socket
import threading
import time
from collections.abc import Sequence
from itertools import count
from types import FrameType

import structlog

from app.queues.presence import WorkerPresence
from workers.housekeeping import Housekeeping
from workers.slot import Slot
from workers.tools import Tools

log = structlog.get_logger(__name__)


def worker_name(token: str) -> str:
    """Who this worker is, for people: host, process, and a token that tells restarts apart."""
    return f"{socket.gethostname()}:{os.getpid()}:{token}"


class StopRequest:
    """The wish to stop. Asked once: running jobs have `drain_s` to end; asked twice: they are given back at once."""

    def __init__(self, drain_s: float) -> None:
        self._drain_s = drain_s
        self._event = threading.Event()
        self._earlier = count()
        self._deadline: float | None = None
        self._hurried = False

    def ask(self) -> None:
        """Ask; fit for a signal handler that another signal may interrupt anywhere."""
        if next(self._earlier):
            self._hurried = True
        else:
            self._deadline = time.monotonic() + self._drain_s
        self._event.set()

    def requested(self) -> bool:
        """Whether no further job is to be taken."""
        return self._event.is_set()

    def deadline(self) -> float | None:
        """When the running job must be given back; long past if it must be at once."""
        return 0.0 if self._hurried else self._deadline

    def wait(self, timeout_s: float) -> bool:
        """Sleep, unless a stop is asked for; tells whether it is."""
        if self._event.is_set():
            time.sleep(min(timeout_s, 0.2))
            return True
        return self._event.wait(timeout_s)


class Supervisor:
    """Runs the slots until a signal asks to stop."""

    def __init__(self, name: str, tools: Tools, n_slots: int, stop: StopRequest) -> None:
        self.name = name
        self._mode = tools.mode
        self._stop = stop
        self._slots: Sequence[Slot] = [Slot(tools, stop) for _ in range(n_slots)]
        self._told = False

    def presence(self) -> WorkerPresence:
        """What this worker is doing now."""
        tallies = [slot.tally for slot in self._slots]
        jobs = tuple(tally.running for tally in tallies if tally.running)
        return WorkerPresence(
            name=self.name,
            mode=self._mode.value,
            slots=len(tallies),
            busy=len(jobs),
            jobs=jobs,
            completed=sum(tally.completed for tally in tallies),
            failed=sum(tally.failed for tally in tallies),
            crashes=sum(tally.crashes for tally in tallies),
            fenced=sum(tally.fenced for tally in tallies),
        )

    def run(self, housekeeping: Housekeeping) -> None:
        """Work until a signal asks to stop, then drain."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        threads = [threading.Thread(target=slot.run, name=f"slot-{i}") for i, slot in enumerate(self._slots)]
        threads.append(threading.Thread(target=housekeeping.run, args=[self._stop], name="housekeeping"))
        for thread in threads:
            thread.start()
        log.info("worker_started", worker=self.name, mode=self._mode.value, slots=len(self._slots))
        for thread in threads:
            while thread.is_alive():
                thread.join(0.5)
                self._tell_of_draining()
        log.info("worker_stopped", worker=self.name)

    def _tell_of_draining(self) -> None:
        if self._stop.requested() and not self._told:
            self._told = True
            log.info("worker_drains", worker=self.name)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        # No log line from here: the handler may have interrupted one.
        self._stop.ask()
