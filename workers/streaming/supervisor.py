"""The supervisor of live sessions: it starts everything, takes signals, and hands all sessions over when it stops."""

import gc
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType

import structlog

from app.domain.errors import Unavailable
from app.domain.job import Mode
from app.queues.presence import WorkerPresence
from workers.housekeeping import Housekeeping
from workers.streaming.board import Board
from workers.streaming.clerk import Clerk
from workers.streaming.door import Door
from workers.streaming.home import Home
from workers.streaming.intake import Intake
from workers.streaming.leaving import Departures
from workers.streaming.minutes import Minutes
from workers.streaming.teller import Teller
from workers.streaming.watchman import Watchman
from workers.supervisor import StopRequest
from workers.tools import Tally

log = structlog.get_logger(__name__)

TELL_WITHIN_S = 1.0
STOPS_WITHIN_S = 3.0


@dataclass(frozen=True, slots=True)
class Parts:
    """All that works in the supervisor."""

    board: Board
    homes: list[Home]
    minutes: Minutes
    intake: Intake
    clerk: Clerk
    door: Door
    departures: Departures
    watchman: Watchman
    teller: Teller
    tally: Tally


class StreamSupervisor:
    """Runs the parts until a signal asks to stop."""

    def __init__(self, name: str, parts: Parts, stop: StopRequest) -> None:
        self.name = name
        self._parts = parts
        self._stop = stop

    def presence(self) -> WorkerPresence:
        """What this worker is doing now."""
        tally = self._parts.tally
        return WorkerPresence(
            name=self.name,
            mode=Mode.STREAMING.value,
            slots=self._parts.minutes.n_slots(),
            busy=len(self._parts.board),
            jobs=tuple(run.job.id for run in self._parts.board),
            completed=tally.completed,
            failed=tally.failed,
            crashes=tally.crashes,
            fenced=tally.fenced,
            lag_s=round(self._parts.watchman.lag_s, 3),
        )

    def run(self, housekeeping: Housekeeping) -> None:
        """Work until a signal asks to stop, then hand over."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        threads = [
            threading.Thread(target=self._guarded, args=[name, target], name=name, daemon=True)
            for name, target in self._loops(housekeeping)
        ]
        gc.freeze()  # what is there now stays: words do not wait while it is searched for garbage
        for thread in threads:
            thread.start()
        log.info("worker_started", worker=self.name, mode=Mode.STREAMING.value)
        while not self._stop.wait(0.2):
            pass
        self._parts.board.changed.set()
        for thread in threads:
            thread.join(STOPS_WITHIN_S)
        self._hand_over()
        log.info("worker_stopped", worker=self.name)

    def _guarded(self, name: str, loop: Callable[[], None]) -> None:
        """A part that breaks in an unforeseen way stops the worker: its sessions go on elsewhere."""
        try:
            loop()
        except Exception:
            log.exception("part_broke", part=name)
            self._stop.ask()

    def _loops(self, housekeeping: Housekeeping) -> list[tuple[str, Callable[[], None]]]:
        parts, stop = self._parts, self._stop
        return [
            *((f"home-{i}", home.run) for i, home in enumerate(parts.homes)),
            ("intake", parts.intake.run),
            ("clerk", lambda: parts.clerk.run(stop)),
            ("door", lambda: parts.door.run(stop)),
            ("watchman", lambda: parts.watchman.run(stop)),
            ("housekeeping", lambda: housekeeping.run(stop)),
        ]

    def _hand_over(self) -> None:
        """Store what was said, then give every session back: another worker goes on where this one was."""
        try:
            self._parts.clerk.drain()
            for run in self._parts.board:
                if not run.is_leaving:
                    self._parts.departures.release(run)
        except Unavailable:
            log.warning("sessions_not_handed_over")  # they are taken when their lease is over
        self._parts.departures.close()
        self._parts.teller.close(TELL_WITHIN_S)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        log.info("worker_drains", signal=signal.Signals(number).name, sessions=len(self._parts.board))
        self._stop.ask()
