"""Sound that is kept while it may still be needed."""

import numpy as np

from app.audio.sound import RATE_HZ, Pcm


class Tape:
    """Grows at the end, is cut off at the front; appending costs the same however long it is."""

    def __init__(self) -> None:
        self._memory: Pcm = np.zeros(2 * RATE_HZ, np.float32)
        self._n = 0

    def __len__(self) -> int:
        return self._n

    def append(self, pcm: Pcm) -> None:
        """Add sound, shape (n,)."""
        needed = self._n + len(pcm)
        if needed > len(self._memory):
            grown = np.zeros(2 * needed, np.float32)
            grown[: self._n] = self._memory[: self._n]
            self._memory = grown
        self._memory[self._n : needed] = pcm
        self._n = needed

    def read(self, start: int, end: int) -> Pcm:
        """A copy of the samples `start` to `end`."""
        return self._memory[start:end].copy()

    def drop(self, n_samples: int) -> None:
        """Forget the first samples; what is then far too large is given back."""
        kept = self._memory[n_samples : self._n].copy()
        self._n = len(kept)
        if len(self._memory) > 4 * (self._n + RATE_HZ):
            self._memory = np.zeros(2 * (self._n + RATE_HZ), np.float32)
        self._memory[: self._n] = kept
