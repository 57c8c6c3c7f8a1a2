"""Sound made shorter by leaving out long silences, and the way back to the times of the original."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

import numpy as np

from app.audio.regions import padded
from app.audio.sound import RATE_HZ, Pcm, Span
from app.domain.transcript import Segment, Word

SEAM_S = 0.1
"""On both sides of a seam there is silence, so what ends just after one has really ended before it; engines round."""
ROUNDING = 1e-3
"""Samples. Seconds times the rate can fall just short of the sample that they mean: at a seam, of the right side."""


@dataclass(frozen=True, slots=True)
class TimeMap:
    """Which spans of the original were `kept`, in order, to be heard one after the other; at least one."""

    kept: tuple[Span, ...]

    def to_original_s(self, trimmed_s: float) -> float:
        """Where a time of the trimmed sound lies in the original; at a seam, where the sound goes on."""
        at = trimmed_s * RATE_HZ
        i = self._piece_at(at)
        return self._within(i, self.kept[i].start + at - self._starts()[i]) / RATE_HZ

    def to_trimmed_s(self, original_s: float) -> float:
        """Where a time of the original lies in the trimmed sound; all of a left-out silence lies at its seam."""
        at = original_s * RATE_HZ
        i = max(bisect_right([span.start for span in self.kept], at) - 1, 0)
        return (self._starts()[i] + self._within(i, at) - self.kept[i].start) / RATE_HZ

    def to_trimmed(self, span: Span) -> Span:
        """Where samples of the original lie in the trimmed sound."""
        return Span(*(round(self.to_trimmed_s(at / RATE_HZ) * RATE_HZ) for at in (span.start, span.end)))

    def restored(self, segment: Segment) -> Segment:
        """A segment heard in the trimmed sound, with the times of the original."""
        start_s, end_s = self._heard_s(segment)
        return replace(segment, start_s=start_s, end_s=end_s, words=tuple(map(self._restored_word, segment.words)))

    def _restored_word(self, word: Word) -> Word:
        start_s, end_s = self._heard_s(word)
        return replace(word, start_s=start_s, end_s=end_s)

    def _heard_s(self, heard: Segment | Word) -> tuple[float, float]:
        """Start and end of something that was heard, so not within the silence at a seam."""
        starts = self._starts()
        first = self._piece_at((heard.start_s + SEAM_S) * RATE_HZ)
        last = max(first, self._piece_at((heard.end_s - SEAM_S) * RATE_HZ))
        start = self._within(first, self.kept[first].start + heard.start_s * RATE_HZ - starts[first])
        end = self._within(last, self.kept[last].start + heard.end_s * RATE_HZ - starts[last])
        return start / RATE_HZ, max(start, end) / RATE_HZ

    def _within(self, i: int, at: float) -> float:
        return min(max(at, self.kept[i].start), self.kept[i].end)

    def _piece_at(self, trimmed_at: float) -> int:
        return max(bisect_right(self._starts(), trimmed_at + ROUNDING) - 1, 0)

    def _starts(self) -> list[int]:
        """Where each kept span begins in the trimmed sound."""
        return [0, *accumulate(span.n_samples for span in self.kept[:-1])]


def trim(pcm: Pcm, regions: Sequence[Span], keep_s: float = 0.3) -> tuple[Pcm, TimeMap]:
    """Leave out the silences of `pcm`, shape (n,), but for `keep_s` on each side of every region of speech.

    Where there is no speech, nothing is kept.
    """
    kept = _merged(padded(list(regions), round(keep_s * RATE_HZ), len(pcm))) or (Span(0, 0),)
    return np.concatenate([pcm[span.start : span.end] for span in kept]), TimeMap(kept)


def _merged(spans: Sequence[Span]) -> tuple[Span, ...]:
    """Spans that touch are one: between them there is no seam."""
    merged: list[Span] = []
    for span in spans:
        if merged and span.start <= merged[-1].end:
            span = Span(merged.pop().start, span.end)
        merged.append(span)
    return tuple(merged)
