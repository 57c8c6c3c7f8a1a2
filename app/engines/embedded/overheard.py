"""Follows a recording with the segmentation network: where somebody speaks, where two do, and where voices change.

The network hears ten seconds at a time and calls the people in them 1, 2 and 3, in any order. Each chunk's order is
made that of the chunk before, by what both say of the sound they share; then all that is said of a moment is averaged.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, permutations

import numpy as np
import numpy.typing as npt

from app.audio.sound import Pcm, Span
from app.engines.embedded.mel import HOP, Floats
from app.engines.embedded.rows import Rows
from app.engines.embedded.segmentation import CENTRE, CHUNK, N_CLASSES, N_SLOTS, STEP, Segmenter
from app.engines.embedded.spans import stretches

HOP_STEPS = 148
"""Each chunk begins 2.5 s after the one before, so that each moment is heard four times."""
SOMEBODY, TWO = 0.5, 0.35
"""Mean probability from which it is believed. The second is low: it still misses half of what two say at once, and
hardly ever hears two where there is one."""
SHORTEST = 1600
"""Samples (0.1 s); what is shorter is not believed."""
PAIRS = tuple(combinations(range(N_SLOTS), 2))
NOBODY, BOTH = 0, N_SLOTS + 1
Classes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Overheard:
    """What the network said of a recording of `n_samples`: the probability of each class, shape (n_steps, 7)."""

    n_samples: int
    likely: Floats

    def speech(self) -> Iterator[Span]:
        """Where somebody speaks, in order."""
        return self._spans(1 - self.likely[:, NOBODY] > SOMEBODY)

    def together(self) -> Iterator[Span]:
        """Where two speak at once, in order."""
        return self._spans(self._two())

    def who(self, n_frames: int) -> Classes:
        """For each 10 ms: `NOBODY`, one of three people (1…3, the same for some seconds at least), or `BOTH`."""
        if not len(self.likely):
            return np.zeros(n_frames, np.int64)
        alone = self.likely[:, 1 : N_SLOTS + 1].argmax(axis=1) + 1
        steps = np.where(self._two(), BOTH, np.where(1 - self.likely[:, NOBODY] > SOMEBODY, alone, NOBODY))
        nearest = (np.arange(n_frames) * HOP - CENTRE + STEP // 2) // STEP
        return steps[np.clip(nearest, 0, len(steps) - 1)]

    def _two(self) -> npt.NDArray[np.bool_]:
        two: npt.NDArray[np.bool_] = self.likely[:, N_SLOTS + 1 :].sum(axis=1) > TWO
        return two

    def _spans(self, which: npt.NDArray[np.bool_]) -> Iterator[Span]:
        for first, end in stretches(which):
            span = Span(self._sample(first), self._sample(end))
            if span.end - span.start >= SHORTEST:
                yield span

    def _sample(self, step: int) -> int:
        """The sample in the middle between what the step before is about and what this one is."""
        return min(self.n_samples, max(0, step * STEP + CENTRE - STEP // 2))


class Eavesdropper:
    """Gathers what the network says; without a network, nothing."""

    def __init__(self, segmenter: Segmenter | None) -> None:
        self._segmenter = segmenter
        self._pending: Pcm = np.zeros(0, np.float32)
        self._means = Means()
        self._n_samples = 0

    def feed(self, pcm: Pcm) -> None:
        """The next piece of the recording, shape (n,), any n."""
        self._n_samples += len(pcm)
        if self._segmenter:
            self._pending = np.concatenate([self._pending, pcm])
            self._hear(max(0, (len(self._pending) - CHUNK) // (HOP_STEPS * STEP) + 1))

    def finish(self) -> Overheard:
        """There is no more; what has not been heard is, with silence after it."""
        if self._segmenter and self._n_samples:
            self._pending = np.concatenate([self._pending, np.zeros(CHUNK, np.float32)])
            self._hear(1)
        return Overheard(self._n_samples, self._means.all())

    def _hear(self, n_chunks: int) -> None:
        if n_chunks and self._segmenter:
            starts = [chunk * HOP_STEPS * STEP for chunk in range(n_chunks)]
            for classes in self._segmenter.classes(np.stack([self._pending[at : at + CHUNK] for at in starts])):
                self._means.add(classes)
            self._pending = self._pending[n_chunks * HOP_STEPS * STEP :]


class Means:
    """The mean of what chunks say of each step, people in one order."""

    def __init__(self) -> None:
        self._sums = Rows(N_CLASSES + 1, np.float32)
        self._next = 0

    def add(self, classes: Floats) -> None:
        """What the next chunk says, shape (n, 7)."""
        self._sums.grow(self._next + len(classes))
        sums = self._sums.all()[self._next :]
        known = sums[:, N_CLASSES] > 0
        before = sums[known, :N_CLASSES] / sums[known, N_CLASSES:]
        sums[:, :N_CLASSES] += classes[:, _order_as_before(before, classes[known])]
        sums[:, N_CLASSES] += 1
        self._next += HOP_STEPS

    def all(self) -> Floats:
        """All means, shape (m, 7)."""
        sums = self._sums.all()
        means: Floats = sums[:, :N_CLASSES] / np.maximum(sums[:, N_CLASSES:], 1)
        return means


def _order_as_before(before: Floats, now: Floats) -> list[int]:
    """The order of classes in which `now` speaks of the same people as `before`, both of shape (n, 7)."""
    spoke, speaks = _activity(before), _activity(now)
    best = max(permutations(range(N_SLOTS)), key=lambda slots: float((spoke * speaks[:, slots]).sum()))
    pairs = [PAIRS.index((min(pair), max(pair))) for pair in ((best[first], best[second]) for first, second in PAIRS)]
    return [NOBODY, *(slot + 1 for slot in best), *(BOTH + pair for pair in pairs)]


def _activity(classes: Floats) -> Floats:
    """How likely each of the three speaks, alone or not, shape (n, 3)."""
    active = classes[:, 1 : N_SLOTS + 1].copy()
    for number, pair in enumerate(PAIRS):
        active[:, pair] += classes[:, [BOTH + number]]
    return active
