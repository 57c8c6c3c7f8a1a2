"""Sound made shorter by leaving out long silences, and the way back to the times of the original."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.audio.regions import padded
from app.audio.sound import RATE_HZ, Pcm, Span
from app.domain.transcript import Segment, Word


@dataclass(frozen=True, slots=True)
class TimeMap:
    """Which spans of the original were `kept`, in order, one after the other. None: nothing was left out."""

    kept: tuple[Span, ...]

    def to_original_s(self, trimmed_s: float, *, is_end: bool = False) -> float:
        """Where a time of the trimmed sound lies in the original.

        At a seam that is two places: a beginning belongs to what comes after it, an end (`is_end`) to what
        came before.
        """
        if not self.kept:
            return trimmed_s
        starts = self._trimmed_starts()
        at = trimmed_s * RATE_HZ
        i = bisect_left(starts, at) if is_end else bisect_right(starts, at)
        i = max(i - 1, 0)
        return min(max(self.kept[i].start + at - starts[i], 0.0), self.kept[i].end) / RATE_HZ

    def to_trimmed_s(self, original_s: float) -> float:
        """Where a time of the original lies in the trimmed sound; all of a left-out silence lies at its seam."""
        if not self.kept:
            return original_s
        at = original_s * RATE_HZ
        i = max(bisect_right([span.start for span in self.kept], at) - 1, 0)
        inside = min(max(at - self.kept[i].start, 0.0), self.kept[i].n_samples)
        return (self._trimmed_starts()[i] + inside) / RATE_HZ

    def to_trimmed(self, span: Span) -> Span:
        """Where samples of the original lie in the trimmed sound."""
        return Span(*(round(self.to_trimmed_s(at / RATE_HZ) * RATE_HZ) for at in (span.start, span.end)))

    def restored(self, segment: Segment) -> Segment:
        """A segment heard in the trimmed sound, with the times of the original."""
        start_s, end_s = self._restored_s(segment)
        return replace(segment, start_s=start_s, end_s=end_s, words=tuple(map(self._restored_word, segment.words)))

    def _restored_word(self, word: Word) -> Word:
        start_s, end_s = self._restored_s(word)
        return replace(word, start_s=start_s, end_s=end_s)

    def _restored_s(self, heard: Segment | Word) -> tuple[float, float]:
        """An empty stretch at a seam would end before it begins; it stays empty."""
        start_s = self.to_original_s(heard.start_s)
        return start_s, max(start_s, self.to_original_s(heard.end_s, is_end=True))

    def _trimmed_starts(self) -> list[int]:
        starts, n_samples = [], 0
        for span in self.kept:
            starts.append(n_samples)
            n_samples += span.n_samples
        return starts


def trim(pcm: Pcm, regions: Sequence[Span], keep_s: float = 0.3) -> tuple[Pcm, TimeMap]:
    """Leave out the silences of `pcm`, shape (n,), but for `keep_s` on each side of every region of speech.

    Where there is no speech, nothing is kept.
    """
    kept = tuple(padded(list(regions), round(keep_s * RATE_HZ), len(pcm)))
    if not kept:
        return pcm[:0], TimeMap((Span(0, 0),))
    return np.concatenate([pcm[span.start : span.end] for span in kept]), TimeMap(kept)
