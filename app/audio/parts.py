"""Cut a long recording at its silences into parts of some minutes, holding no more than one part at a time.

A part can be transcribed, stored and, after a crash, skipped, on its own.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from app.audio.regions import FOR_SPEAKERS, Probabilities, RegionSettings, speech_regions
from app.audio.sound import RATE_HZ, Pcm, Span, VoiceActivity

PIECE_SAMPLES = RATE_HZ


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a recording: `start` is its first sample in the original, `pcm` has shape (n,).

    `regions` of speech, padded, count from the start of `pcm`; `probabilities`, shape (n // hop,), are what they were
    found from.
    """

    index: int
    start: int
    pcm: Pcm
    probabilities: Probabilities
    regions: tuple[Span, ...]
    is_last: bool

    @property
    def end(self) -> int:
        """The first sample of the original that is not in it: where the next part starts."""
        return self.start + len(self.pcm)


def cut_parts(
    chunks: Iterable[Pcm],
    vad: VoiceActivity,
    *,
    start_sample: int = 0,
    first_index: int = 0,
    target_s: float = 300.0,
    max_s: float = 420.0,
    settings: RegionSettings = FOR_SPEAKERS,
) -> Iterator[Part]:
    """Cut the sound in `chunks` (any lengths) into parts of about `target_s`, never more than `max_s`.

    Each is cut in the middle of the longest silence near the target, or where speech is least likely if there is
    none. Every sample is in exactly one part, in order. To go on after parts that are done, give the sound from
    `start_sample` on and the index of the next.
    """
    vad.reset()
    cutter = _Cutter(vad.hop, target_s, max_s, settings)
    held = _Held(cutter.n_max + PIECE_SAMPLES)
    start, index = start_sample, first_index
    for piece in _pieces(chunks):
        held.add(piece, vad.probabilities(piece))
        while held.n_samples >= cutter.n_max:
            pcm, probabilities = held.take(cutter.best_hop(held.probabilities), vad.hop)
            yield _part(index, start, pcm, probabilities, cutter, is_last=False)
            start, index = start + len(pcm), index + 1
    if held.n_samples:
        yield _part(index, start, held.pcm, held.probabilities, cutter, is_last=True)


def _pieces(chunks: Iterable[Pcm]) -> Iterator[Pcm]:
    for chunk in chunks:
        for first in range(0, len(chunk), PIECE_SAMPLES):
            yield chunk[first : first + PIECE_SAMPLES]


def _part(index: int, start: int, pcm: Pcm, probabilities: Probabilities, cutter: "_Cutter", *, is_last: bool) -> Part:
    regions = speech_regions(probabilities, cutter.settings, hop=cutter.hop, n_samples=len(pcm))
    return Part(index, start, pcm, probabilities, tuple(regions), is_last)


class _Held:
    """The sound not yet in a part, with its probabilities (the last samples may have none yet)."""

    def __init__(self, capacity: int) -> None:
        self._buffer = np.empty(capacity, np.float32)
        self._probabilities: list[Probabilities] = []
        self.n_samples = 0

    @property
    def pcm(self) -> Pcm:
        """All of it."""
        return self._buffer[: self.n_samples]

    @property
    def probabilities(self) -> Probabilities:
        """All of them."""
        return np.concatenate([np.zeros(0, np.float32), *self._probabilities])

    def add(self, piece: Pcm, probabilities: Probabilities) -> None:
        """Put a piece at the end."""
        self._buffer[self.n_samples : self.n_samples + len(piece)] = piece
        self.n_samples += len(piece)
        self._probabilities.append(probabilities)

    def take(self, n_hops: int, hop: int) -> tuple[Pcm, Probabilities]:
        """Take the first hops away; the rest moves to a new buffer, as the taken part keeps this one."""
        taken, rest, probabilities = self._buffer, self.pcm[n_hops * hop :], self.probabilities
        self._buffer = np.empty_like(taken)
        self._buffer[: len(rest)] = rest
        self.n_samples = len(rest)
        self._probabilities = [probabilities[n_hops:]]
        return taken[: n_hops * hop], probabilities[:n_hops]


class _Cutter:
    """Where to end a part. `n_max` is the most samples it may have."""

    def __init__(self, hop: int, target_s: float, max_s: float, settings: RegionSettings) -> None:
        if not 0 < target_s <= max_s:
            raise ValueError(f"parts of {target_s} s cannot be at most {max_s} s long")
        self.hop = hop
        self.settings = settings
        self._max_hops = max(2, int(max_s * RATE_HZ) // hop)
        self._target_hops = min(self._max_hops, max(1, int(target_s * RATE_HZ) // hop))
        self.n_max = self._max_hops * hop

    def best_hop(self, probabilities: Probabilities) -> int:
        """How many hops the part should have: as far before the target as the longest part is beyond it, or half."""
        low = max(1, self._target_hops // 2, 2 * self._target_hops - self._max_hops)
        window = probabilities[low : self._max_hops]
        if len(window) == 0:
            return self._max_hops
        silences = _runs(window < self.settings.off)
        if not silences:
            return low + int(np.argmin(window))
        target = self._target_hops - low
        first, last = max(silences, key=lambda run: (run[1] - run[0], -abs(sum(run) // 2 - target)))
        return low + (first + last) // 2


def _runs(flags: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> list[tuple[int, int]]:
    """Where the flags are up: (first, one beyond the last) of each stretch."""
    edges = np.flatnonzero(np.diff(flags.astype(np.int8), prepend=0, append=0))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
