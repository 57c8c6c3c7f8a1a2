"""Tells Redis, in a thread of its own, what becomes of sessions: nobody who listens or writes waits for it."""

import threading
import time
from collections import deque
from collections.abc import Iterable

import structlog

from app.domain.errors import Unavailable
from app.queues.live_input import LiveInput
from app.queues.live_output import LiveMessage, LiveOutput

log = structlog.get_logger(__name__)

AGAIN_S = 0.2
FLEETING = {"partial", "progress"}
MOST_UNTOLD = 20_000


class Teller:
    """Says in order; what is fleeting is dropped while Redis is away, the rest is said when it is back."""

    def __init__(self, output: LiveOutput, live: LiveInput) -> None:
        self._output = output
        self._live = live
        self._wake = threading.Event()
        self._untold: deque[LiveMessage] = deque(maxlen=MOST_UNTOLD)
        self._trims: dict[str, int] = {}
        self._forgets: deque[str] = deque()
        self._is_closing = False
        self._thread = threading.Thread(target=self._run, name="teller", daemon=True)
        self._thread.start()

    def say(self, messages: Iterable[LiveMessage]) -> None:
        """Have the gateways told, soon and in this order."""
        self._untold.extend(messages)
        self._wake.set()

    def trim(self, job_id: str, byte: int) -> None:
        """Have the input before this byte dropped, some time."""
        self._trims[job_id] = byte
        self._wake.set()

    def forget(self, job_id: str) -> None:
        """Have all of a session dropped, once everything so far is said."""
        self._forgets.append(job_id)
        self._wake.set()

    def close(self, within_s: float) -> None:
        """Say what is left, if that takes no longer."""
        self._is_closing = True
        self._wake.set()
        self._thread.join(within_s)

    def _run(self) -> None:
        while not (self._is_closing and not self._untold and not self._forgets):
            self._wake.wait()
            self._wake.clear()
            try:
                self._tell()
            except Unavailable:
                self._keep_what_lasts()
                if self._is_closing:
                    return
                time.sleep(AGAIN_S)
                self._wake.set()
            except Exception:  # what cannot be told must not keep all else from being told
                log.exception("telling_failed", n=len(self._untold))
                self._untold.clear()

    def _tell(self) -> None:
        n = len(self._untold)
        if n:
            self._output.publish([self._untold[i] for i in range(n)])
            for _ in range(n):
                self._untold.popleft()
        trims, self._trims = self._trims, {}
        if trims:
            self._live.trim(trims)
        while self._forgets and not self._untold:
            self._live.forget(self._forgets[0])
            self._forgets.popleft()

    def _keep_what_lasts(self) -> None:
        n = len(self._untold)
        log.warning("nobody_can_be_told", n=n)
        for _ in range(n):
            message = self._untold.popleft()
            if message.type not in FLEETING:
                self._untold.append(message)
