"""The places in a stream of Opus where decoding may begin, kept for as long as somebody can ask for them."""

from collections import deque
from collections.abc import Iterable

from app.audio.live.base import RestartPoint
from app.audio.live.resampling import reach
from app.audio.sound import RATE_HZ

OPUS_HZ = 48_000
PRE_ROLL = 4 * RATE_HZ
"""The 80 ms of RFC 7845, section 4.6, are enough for the ear; after this long samples differ by less than 1e-4."""

Point = tuple[int, int]
"""A sample (16 kHz), and the byte of the client's stream that is to be fed first for it."""


class Points:
    """Those of one stream, in order. `header` is what its container said in the beginning, once that is known."""

    def __init__(self, start: RestartPoint) -> None:
        self.header = start.header
        self._points = deque([(start.sample, start.byte)])

    def __len__(self) -> int:
        return len(self._points)

    @property
    def last_sample(self) -> int:
        """Where the latest lies."""
        return self._points[-1][0]

    def add(self, points: Iterable[Point]) -> None:
        """There are more."""
        self._points.extend(points)

    def before(self, sample: int) -> RestartPoint:
        """See `LiveDecoder.restart_at`."""
        latest = sample - PRE_ROLL - reach(OPUS_HZ)
        while len(self._points) > 1 and self._points[1][0] <= latest:
            self._points.popleft()
        start, byte = self._points[0]
        return RestartPoint(byte, start, self.header if byte else b"")
