"""How many jobs a slot may hold beside the one that runs, as measured on those before."""

import math
from collections import deque

AHEAD_S = 0.1
"""How long what is claimed ahead may take in all: what somebody more urgent waits longer at most."""

MOST_AHEAD = 64
REMEMBERED = 16


class Pace:
    """The last runs of a slot. As long as they take milliseconds, fetching jobs one by one costs more than doing them.

    Recordings of real length take seconds each, and then nothing is ever claimed ahead.
    """

    def __init__(self) -> None:
        self._runs: deque[tuple[float, float]] = deque()
        self._took_s = 0.0

    def ran(self, took_s: float, sound_s: float) -> None:
        """A run has taken so long (inf: nobody knows), on a recording that was guessed to be of so many seconds."""
        if not math.isfinite(took_s):
            self.forget()
            return
        self._runs.append((took_s, sound_s))
        self._took_s += took_s
        if len(self._runs) > REMEMBERED:
            self._took_s -= self._runs.popleft()[0]

    def forget(self) -> None:
        """A run went wrong: what was measured is worth nothing now."""
        self._runs.clear()
        self._took_s = 0.0

    def n_ahead(self) -> int:
        """How many jobs of at most `longest_s` may be claimed ahead; 0: none."""
        n = len(self._runs)
        if not n or self._took_s > n * AHEAD_S / 2:
            return 0
        return min(MOST_AHEAD, int(n * AHEAD_S / max(self._took_s, 1e-6)))

    def longest_s(self) -> float:
        """The longest of the recordings, in seconds: nothing is known of how long longer ones take."""
        return max((sound_s for _, sound_s in self._runs), default=0.0)
