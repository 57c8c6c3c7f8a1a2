"""The sound of one connection on its way to Redis."""

import threading
import time
from collections.abc import Callable

from app.domain.errors import ParloirError, StreamLost, Unavailable
from app.domain.live import StreamSpec
from app.queues.live_input import END, FINALIZE, Append, LiveInput
from app.services.streaming.intake import AWAY_S, RETRY_S, Intake

MAX_PENDING_BYTES = 256 * 1024
"""What one connection may have waiting to be written; beyond it nothing more is read from its client."""


class Upstream:
    """Takes sound in whole samples; what is left of a frame is put before the next. Waits while there is no room.

    `received` are the bytes of the client's stream that Redis holds. `refuse` is told why no more is taken.
    """

    def __init__(
        self,
        live_input: LiveInput,
        intake: Intake,
        job_id: str,
        owner: str,
        spec: StreamSpec,
        held: int,
        refuse: Callable[[ParloirError], None],
    ) -> None:
        self.job_id, self.owner, self.received = job_id, owner, held
        self.heard_s = time.monotonic()
        self.has_stopped = self.is_paused = False
        self._input, self._intake, self._refuse = live_input, intake, refuse
        self._unit = spec.bytes_per_unit
        self._rest = b""
        self._lock = threading.Lock()
        self._pending: list[bytes] = []
        self._n_pending = self._n_taken = 0
        self._has_room, self._is_empty = threading.Event(), threading.Event()
        self._is_closed = False
        self._look()

    @property
    def position(self) -> int:
        """The bytes of the client's stream taken so far, written or not."""
        return self.received + self._n_pending

    def send(self, data: bytes) -> None:
        """Take a frame of sound; nothing is taken after a stop."""
        self.heard_s = time.monotonic()
        whole = self._whole(data)
        if not whole or self.has_stopped or self._is_closed:
            return
        with self._lock:
            self._pending.append(whole)
            self._n_pending += len(whole)
            self._look()
        self._intake.come(self)
        if not self._has_room.is_set():
            self._has_room.wait()
        self.heard_s = time.monotonic()

    def alive(self) -> None:
        """The client says that it is there."""
        self.heard_s = time.monotonic()

    def finalize(self) -> None:
        """Have what is pending said for good."""
        self.alive()
        self._control(FINALIZE)

    def stop(self) -> int:
        """There is no more sound; returns the bytes of a sample that was begun and not ended."""
        if not self.has_stopped:
            self.has_stopped = True
            self._control(END)
        return len(self._rest)

    def pause(self, *, is_paused: bool) -> None:
        """Take nothing from the client for now, or go on."""
        with self._lock:
            self.is_paused = is_paused
            self._look()

    def is_idle(self, idle_s: float) -> bool:
        """Whether the client has let nothing be heard for so long, though it could have."""
        return self._has_room.is_set() and not self.has_stopped and time.monotonic() > self.heard_s + idle_s

    def close(self) -> None:
        """The connection ends: nobody waits here any longer."""
        with self._lock:
            self._is_closed = True
            self._look()

    def take(self) -> Append | None:
        """See `Source`."""
        with self._lock:
            data = b"".join(self._pending)
            self._pending, self._n_taken = [data], len(data)
        return Append(self.job_id, self.owner, self.received, data) if data else None

    def written(self, answer: int | ParloirError) -> None:
        """See `Source`."""
        if isinstance(answer, ParloirError):
            self._give_up(answer)
            return
        with self._lock:
            self.received = answer
            del self._pending[0]
            self._n_pending -= self._n_taken
            self._look()

    def displaced(self) -> None:
        """See `Source`."""
        self._give_up(StreamLost(service="queue"))

    def _give_up(self, error: ParloirError) -> None:
        self._refuse(error)
        self.close()

    def _whole(self, data: bytes) -> bytes:
        data = self._rest + data if self._rest else data
        n_odd = len(data) % self._unit
        self._rest = data[len(data) - n_odd :] if n_odd else b""
        return data[: len(data) - n_odd] if n_odd else data

    def _control(self, kind: str) -> None:
        self._is_empty.wait()
        deadline_s = time.monotonic() + AWAY_S
        while not self._is_closed:
            try:
                self._input.control(self.job_id, self.owner, kind)
            except StreamLost:
                raise
            except Unavailable:
                if time.monotonic() > deadline_s:
                    raise
                time.sleep(RETRY_S)
            else:
                return

    def _look(self) -> None:
        """Whether anybody has to wait."""
        has_room = self._n_pending <= MAX_PENDING_BYTES and not self.is_paused
        _turn(self._has_room, is_set=has_room or self._is_closed)
        _turn(self._is_empty, is_set=self._n_pending == 0 or self._is_closed)


def _turn(event: threading.Event, *, is_set: bool) -> None:
    if is_set is not event.is_set():
        (event.set if is_set else event.clear)()
