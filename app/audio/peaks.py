"""Draws the outline of sound while it passes: 200 bytes a second, and at the end no more than a page wants to load."""

import numpy as np
import numpy.typing as npt

from app.audio.sound import RATE_HZ, Pcm
from app.domain.peaks import Peaks

MAX_BUCKETS = 65_536
BUCKET_SAMPLES = 160
"""10 ms: finer than a screen shows of anything that is looked at as a whole."""
FULL_SCALE = 127

Pairs = npt.NDArray[np.int8]


class PeakMeter:
    """Is fed a recording from its start."""

    def __init__(self, max_buckets: int = MAX_BUCKETS) -> None:
        self._max_buckets = max_buckets
        self._values = bytearray()
        self._rest: Pcm = np.empty(0, np.float32)

    def feed(self, pcm: Pcm) -> None:
        """Take the next samples, shape (n,), −1…1."""
        sound = np.concatenate((self._rest, pcm))
        n_whole = len(sound) // BUCKET_SAMPLES * BUCKET_SAMPLES
        self._values += _pairs(sound[:n_whole].reshape(-1, BUCKET_SAMPLES)).tobytes()
        self._rest = sound[n_whole:]

    def peaks(self) -> Peaks:
        """The outline of all that was fed; buckets grow by doubling until there are few enough."""
        if len(self._rest):
            self.feed(np.repeat(self._rest[-1:], BUCKET_SAMPLES - len(self._rest)))
        pairs: Pairs = np.frombuffer(bytes(self._values), np.int8).reshape(-1, 2)
        n_samples = BUCKET_SAMPLES
        while len(pairs) > self._max_buckets:
            pairs, n_samples = _halved(pairs), n_samples * 2
        return Peaks(n_samples / RATE_HZ, pairs.tobytes())


def _pairs(buckets: npt.NDArray[np.float32]) -> Pairs:
    """Least and greatest of each row, shape (n, 2)."""
    ends = np.stack((buckets.min(axis=1), buckets.max(axis=1)), axis=1)
    pairs: Pairs = np.rint(np.clip(ends, -1.0, 1.0) * FULL_SCALE).astype(np.int8)
    return pairs


def _halved(pairs: Pairs) -> Pairs:
    """Each two buckets as one; an odd last one stays what it is."""
    even = np.concatenate((pairs, pairs[-1:])) if len(pairs) % 2 else pairs
    fours = even.reshape(-1, 4)
    halved: Pairs = np.stack((fours.min(axis=1), fours.max(axis=1)), axis=1)
    return halved
