"""What is to be told to one client of a live session, bounded: a client that reads slowly cannot grow our memory."""

import threading
from collections import deque

from app.queues.live_output import GAP, LiveMessage
from app.services.streaming.told import Trouble

MAX_WAITING = 200
"""Finals and the like; beyond it they are dropped, and read up from PostgreSQL where they are."""

Letter = LiveMessage | Trouble


class Mailbox:
    """Filled by the process's one reader, emptied by the connection. Of partials and progress only the last counts."""

    def __init__(self, job_id: str) -> None:
        self._job_id = job_id
        self._lock = threading.Lock()
        self._filled = threading.Event()
        self._letters: deque[Letter] = deque()
        self._partial: LiveMessage | None = None
        self._progress: LiveMessage | None = None

    def put(self, letter: Letter) -> None:
        """Add something; never waits."""
        with self._lock:
            if isinstance(letter, Trouble):
                self._letters.append(letter)
            elif letter.type == "partial":
                self._partial = letter
            elif letter.type == "progress":
                self._progress = letter
            else:
                self._add(letter)
        self._filled.set()

    def take(self, timeout_s: float) -> list[Letter]:
        """All there is, waiting so long for the first; a partial and progress come last."""
        self._filled.wait(timeout_s)
        self._filled.clear()
        with self._lock:
            taken = list(self._letters)
            self._letters.clear()
            taken += [one for one in (self._partial, self._progress) if one is not None]
            self._partial = self._progress = None
        return taken

    def wake(self) -> None:
        """End the wait, though there may be nothing."""
        self._filled.set()

    def _add(self, message: LiveMessage) -> None:
        if message.type == "final" and self._partial and self._partial.fields["seq"] <= message.fields["seq"]:
            self._partial = None  # what is said for good now
        if len(self._letters) >= MAX_WAITING:
            self._drop_finals()
        self._letters.append(message)

    def _drop_finals(self) -> None:
        kept = [one for one in self._letters if isinstance(one, Trouble) or one.type not in {"final", GAP}]
        self._letters = deque([LiveMessage(self._job_id, GAP), *kept])
