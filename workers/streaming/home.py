"""One child process and the threads that speak with it; whenever it is lost, the next one is started."""

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import structlog

from app.domain.errors import ChildDied, OutOfMemory, ParloirError
from app.helpers.backoff import backoff_s
from workers.engine_process import EngineProcess
from workers.streaming.messages import FromStreams, Slots, ToStreams
from workers.streaming.working import At, Working
from workers.tools import Stop

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 0.25


class Listener(Protocol):
    """Who wants to know what children say, and what becomes of them."""

    def ready(self, home: "Home") -> None:
        """A child has started."""

    def said(self, messages: FromStreams) -> None:
        """It said this."""

    def lost(self, home: "Home", sid: int, error: ParloirError) -> None:
        """It is lost; it was at the session opened as `sid` (0: at none)."""


@dataclass(frozen=True, slots=True)
class HomeLimits:
    """When to end a child: times in seconds, memory in bytes."""

    start_s: float
    stall_s: float
    max_rss_bytes: int


class Home:
    """A place for `n_slots` sessions; 0 while there is no child."""

    def __init__(
        self, start: Callable[[int], EngineProcess], listener: Listener, limits: HomeLimits, stop: Stop
    ) -> None:
        """`start` starts a child that inherits the file of this number."""
        self._start = start
        self._listener = listener
        self._limits = limits
        self._stop = stop
        self._outbox: queue.SimpleQueue[ToStreams | None] = queue.SimpleQueue()
        self._seen = (At(0, 0, False), 0.0)
        self._is_owed = False
        """Whether something was sent that the child has not been seen to take."""
        self.n_slots = 0

    def run(self) -> None:
        """Keep a child until asked to stop."""
        failed = 0
        while not self._stop.requested():
            working = Working()
            process = self._start(working.fd)
            try:
                failed = 0 if self._live(process, working) else failed + 1
            finally:
                process.kill()
                working.close()
            if failed:
                self._stop.wait(backoff_s(failed, base_s=1.0, cap_s=30.0))

    def send(self, messages: ToStreams) -> None:
        """Have the child told."""
        self._is_owed = True
        self._outbox.put(messages)

    def _live(self, process: EngineProcess, working: Working) -> bool:
        """See a child through; whether it had started."""
        try:
            slots = self._slots_of(process)
        except ChildDied as error:
            if not self._stop.requested():
                log.error("child_does_not_start", reason=error.message)
            return False
        self._outbox, self._is_owed = queue.SimpleQueue(), False
        sender = threading.Thread(target=self._send, args=[process, self._outbox], daemon=True, name="to-child")
        sender.start()
        self.n_slots = slots
        self._listener.ready(self)
        try:
            self._listen(process, working)
        except ParloirError as error:
            self._lose(process, working, error)
        finally:
            self.n_slots = 0
            self._outbox.put(None)
        return True

    def _slots_of(self, process: EngineProcess) -> int:
        deadline = time.monotonic() + self._limits.start_s
        while time.monotonic() < deadline and not self._stop.requested():
            message: object = process.receive(LOOK_EVERY_S)
            if isinstance(message, Slots):
                return message.n
        raise ChildDied(reason=f"it did not start within {self._limits.start_s:.0f} s")

    def _listen(self, process: EngineProcess, working: Working) -> None:
        looked_at = time.monotonic()
        while not self._stop.requested():
            messages: object = process.receive(LOOK_EVERY_S)
            if isinstance(messages, list):
                self._listener.said(messages)
            if time.monotonic() - looked_at >= LOOK_EVERY_S:
                looked_at = time.monotonic()
                self._look(process, working)

    def _look(self, process: EngineProcess, working: Working) -> None:
        at, now = working.at(), time.monotonic()
        if at != self._seen[0]:
            self._seen, self._is_owed = (at, now), False
        elif not at.sid and not self._is_owed:
            self._seen = (at, now)
        limit_s = self._limits.start_s if at.is_loading else self._limits.stall_s
        if now - self._seen[1] > limit_s:
            raise ChildDied(reason=f"it was at one piece of sound, or took none, for {limit_s:.0f} s")
        if process.rss_bytes() > self._limits.max_rss_bytes:
            raise OutOfMemory

    def _lose(self, process: EngineProcess, working: Working, error: ParloirError) -> None:
        sid = working.at().sid
        self.n_slots = 0
        process.kill()
        log.error("child_lost", reason=error.message, was_working=bool(sid))
        if not self._stop.requested():
            self._listener.lost(self, sid, error)

    @staticmethod
    def _send(process: EngineProcess, outbox: "queue.SimpleQueue[ToStreams | None]") -> None:
        """Send what there is in one go. Waits while the pipe is full, which holds up nobody else."""
        while (messages := outbox.get()) is not None:
            together = list(messages)
            while not outbox.empty():
                more = outbox.get()
                if more is None:
                    return
                together.extend(more)
            try:
                process.send(together)
            except ChildDied:
                return  # whoever listens to it notices as well
