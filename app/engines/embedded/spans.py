"""Stretches of sound put together, and read off a row of yes and no."""

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from app.audio.sound import RATE_HZ, Span

MIN_GAP = RATE_HZ // 10
"""Samples; a gap that is shorter is none."""


def joined(spans: Iterable[Span]) -> Iterator[Span]:
    """All that lies in any of the spans, in order, as spans with gaps between them."""
    held: Span | None = None
    for span in sorted(spans, key=lambda one: one.start):
        if held and span.start - held.end < MIN_GAP:
            held = Span(held.start, max(held.end, span.end))
        else:
            if held:
                yield held
            held = span
    if held:
        yield held


def stretches(which: npt.NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """First and end of each stretch of True in a row, shape (n,)."""
    borders = np.flatnonzero(np.diff(np.concatenate([[False], which, [False]]).astype(np.int8)))
    return zip(borders[::2].tolist(), borders[1::2].tolist(), strict=True)
