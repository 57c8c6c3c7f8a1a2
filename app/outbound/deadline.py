"""An end to patience: one moment for all that a request does, however slowly the other side talks."""

import time
from collections.abc import Callable


class Deadline:
    """A moment on the monotonic clock; `timeout` shortens every wait so that none goes beyond it."""

    def __init__(self, total_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.total_s = total_s
        self._clock = clock
        self._at = clock() + total_s

    @property
    def left_s(self) -> float:
        """Seconds left; 0 when it is over."""
        return max(0.0, self._at - self._clock())

    def timeout(self, wanted_s: float | None) -> float:
        """The wait that is wanted, or what is left if that is less."""
        return self.left_s if wanted_s is None else min(wanted_s, self.left_s)
