"""From probabilities of speech to regions of speech, by hysteresis.

A region opens where the probability reaches `on` and ends where it has stayed below `off` for long enough; what lies
between the two thresholds keeps things as they are.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from app.audio.sound import RATE_HZ, Span, SpanPolicy

Probabilities = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionSettings:
    """How speech is found; the defaults are those for telling speakers apart, where a miss costs most.

    A pause shorter than `min_silence_s` belongs to its region; `pad_s` is added on both sides in the end.
    """

    on: float = 0.3
    off: float = 0.15
    min_speech_s: float = 0.1
    min_silence_s: float = 0.5
    pad_s: float = 0.15

    @classmethod
    def before_spans(cls, policy: SpanPolicy) -> "RegionSettings":
        """Bare regions, as `spans` wants them: it does the padding itself."""
        return cls(min_silence_s=policy.min_silence_s, pad_s=0.0)


FOR_SPEAKERS = RegionSettings()


class RegionFinder:
    """Follows one stream of probabilities; tells each region when it is over. `hop` is samples a probability."""

    def __init__(self, settings: RegionSettings, hop: int) -> None:
        self._settings = settings
        self._hop = hop
        self._n_hops = 0
        self._opened: int | None = None
        self._faded: int | None = None
        self._min_silence = settings.min_silence_s * RATE_HZ

    @property
    def is_speech(self) -> bool:
        """Whether a region is open: somebody speaks, or has just paused."""
        return self._opened is not None

    def feed(self, probabilities: Probabilities) -> list[Span]:
        """The regions (without padding) that these probabilities, shape (m,), have brought to their end."""
        ended = []
        for probability in probabilities.tolist():
            region = self._step(probability)
            self._n_hops += 1
            if region is not None:
                ended.append(region)
        return ended

    def finish(self, n_samples: int) -> list[Span]:
        """The region still open when the stream ends after `n_samples`, if any."""
        end = n_samples if self._faded is None else self._faded * self._hop
        region = self._close(end)
        return [region] if region else []

    def _step(self, probability: float) -> Span | None:
        if probability >= self._settings.on:
            self._opened = self._n_hops if self._opened is None else self._opened
            self._faded = None
        elif probability < self._settings.off and self._opened is not None and self._faded is None:
            self._faded = self._n_hops
        if self._faded is None or (self._n_hops + 1 - self._faded) * self._hop < self._min_silence:
            return None
        return self._close(self._faded * self._hop)

    def _close(self, end: int) -> Span | None:
        opened, self._opened, self._faded = self._opened, None, None
        if opened is None or end - opened * self._hop < self._settings.min_speech_s * RATE_HZ:
            return None
        return Span(opened * self._hop, end)


def speech_regions(probabilities: Probabilities, settings: RegionSettings, *, hop: int, n_samples: int) -> list[Span]:
    """The regions of speech in `n_samples` of sound, padded, in order, without overlap.

    `probabilities` has shape (m,), one for each `hop` samples; a last piece shorter than a hop has none.
    """
    finder = RegionFinder(settings, hop)
    regions = finder.feed(probabilities) + finder.finish(n_samples)
    return padded(regions, round(settings.pad_s * RATE_HZ), n_samples)


def padded(regions: list[Span], n_pad: int, n_samples: int) -> list[Span]:
    """The regions, longer by `n_pad` on both sides; neighbours too close for that share what is between them."""
    if not regions:
        return []
    bounds = [0, *((a.end + b.start) // 2 for a, b in pairwise(regions)), n_samples]
    return [
        Span(max(region.start - n_pad, low), min(region.end + n_pad, high))
        for region, (low, high) in zip(regions, pairwise(bounds), strict=True)
    ]
