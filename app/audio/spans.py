"""From regions of speech to the spans that an engine is given, cut as it likes them."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from app.audio.regions import padded
from app.audio.sound import RATE_HZ, Span, SpanPolicy

MIN_SHARE = 0.5
"""A forced cut comes in the second half of what is allowed, so that the pieces are not crumbs."""
MIN_REST = 0.25
"""And leaves at least this share of the longest for what follows."""
SMOOTH_HOPS = 5
"""A single weak hop is a consonant; a weak place is a few of them."""


def spans(
    regions: Sequence[Span],
    policy: SpanPolicy,
    n_samples: int,
    *,
    strengths: npt.NDArray[np.float32] | None = None,
    hop: int = 512,
) -> list[Span]:
    """Join, pad and split bare `regions` (see `RegionSettings.before_spans`) of a sound of `n_samples`.

    Spans are in order, never overlap, and none is longer than the policy allows. `strengths`, shape (m,), tells how
    strong the speech is in each `hop` samples (probabilities, or energies): a region that is too long is split
    where it is weakest. Without them it is split where it must be.
    """
    n_pad = round(policy.pad_s * RATE_HZ)
    joined = list(_joined(regions, policy, n_pad))
    weakest = _Weakest(strengths, hop)
    return [piece for span in padded(joined, n_pad, n_samples) for piece in _split(span, policy, weakest)]


def _joined(regions: Sequence[Span], policy: SpanPolicy, n_pad: int) -> Iterator[Span]:
    """Regions with short pauses between them as one, as long as the whole still fits."""
    max_gap, max_length = policy.join_gap_s * RATE_HZ, policy.max_s * RATE_HZ - 2 * n_pad
    current: Span | None = None
    for region in regions:
        if current and region.start - current.end <= max_gap and region.end - current.start <= max_length:
            current = Span(current.start, region.end)
            continue
        if current:
            yield current
        current = region
    if current:
        yield current


def _split(span: Span, policy: SpanPolicy, weakest: "_Weakest") -> list[Span]:
    n_max = max(1, int(policy.max_s * RATE_HZ))
    cuts = [span.start]
    while span.end - cuts[-1] > n_max:
        low = cuts[-1] + max(1, int(n_max * MIN_SHARE))
        high = min(cuts[-1] + n_max, max(low, span.end - int(n_max * MIN_REST)))
        cuts.append(weakest.between(low, high))
    return [Span(start, end) for start, end in pairwise([*cuts, span.end])]


class _Weakest:
    """Finds the sample to cut at."""

    def __init__(self, strengths: npt.NDArray[np.float32] | None, hop: int) -> None:
        self._hop = hop
        self._smooth = np.zeros(0) if strengths is None else _smoothed(strengths)

    def between(self, low: int, high: int) -> int:
        """The middle of the weakest hop that begins within these samples; the last sample if none is known."""
        first = -(-low // self._hop)
        strengths = self._smooth[first : high // self._hop]
        if len(strengths) == 0:
            return high
        at = (first + int(np.argmin(strengths))) * self._hop + self._hop // 2
        return min(max(at, low), high)


def _smoothed(strengths: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """The mean over neighbours; at the borders the outermost value is taken to go on."""
    side = SMOOTH_HOPS // 2
    wide = np.pad(strengths.astype(np.float64), side, mode="edge") if len(strengths) else np.zeros(2 * side)
    return np.convolve(wide, np.full(SMOOTH_HOPS, 1 / SMOOTH_HOPS), mode="valid")
