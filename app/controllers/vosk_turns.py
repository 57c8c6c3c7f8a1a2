"""Turn and turn about: a vosk client waits for one answer to each message, which waits for the recogniser."""

import threading
import time
from collections.abc import Callable

from app.services.streaming.told import Finished, Heard, Partial, SaidFinal, Told, Trouble


class VoskTurns:
    """What has been heard and not yet been answered. Filled by the connection's teller, emptied by its listener."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._finals: list[SaidFinal] = []
        self._partial = ""
        self._read_byte = self.n_finals = 0
        self._is_over = False

    def put(self, told: Told) -> None:
        """Something was told."""
        with self._changed:
            match told:
                case Partial():
                    self._partial = told.text
                case SaidFinal():
                    self._finals.append(told)
                    self.n_finals += 1
                    self._partial = ""
                case Heard():
                    self._read_byte = max(self._read_byte, told.read_byte)
                case Finished() | Trouble(is_fatal=True):
                    self._is_over = True
            self._changed.notify_all()

    def wait_heard(self, byte: int, within_s: float) -> None:
        """Until the recogniser has consumed what is before this byte."""
        self._wait(lambda: self._read_byte >= byte, within_s)

    def wait_finals(self, n: int, within_s: float) -> None:
        """Until so many finals have been said in all."""
        self._wait(lambda: self.n_finals >= n, within_s)

    def take(self) -> tuple[list[SaidFinal], str]:
        """The finals that were not answered yet, and what may be being said since."""
        with self._changed:
            finals, self._finals = self._finals, []
            return finals, self._partial

    @property
    def is_speaking(self) -> bool:
        """Whether something is being said."""
        return bool(self._partial)

    def _wait(self, is_so: Callable[[], bool], within_s: float) -> None:
        deadline_s = time.monotonic() + within_s
        with self._changed:
            while not (is_so() or self._is_over):
                left_s = deadline_s - time.monotonic()
                if left_s <= 0 or not self._changed.wait(left_s):
                    return
