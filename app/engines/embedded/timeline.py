"""From how much each moment sounds like each speaker to who speaks when."""

from collections.abc import Iterator, Sequence

import numpy as np

from app.audio.sound import RATE_HZ, Span
from app.domain.speaker_turn import SpeakerTurn
from app.engines.embedded.mel import FRAMES_PER_S, HOP, Floats
from app.engines.embedded.spectral import Labels
from app.engines.embedded.windows import Windows

STEP_FRAMES = 10
STEP_S = STEP_FRAMES / FRAMES_PER_S
SWITCH_COST = 0.2
"""How much more like another speaker (sum of cosines over steps) the sound must be for a change to be believed."""


class Timeline:
    """Gathers, for each tenth of a second, the likeness to each of `n_speakers`: cosines of the windows around it."""

    def __init__(self, n_frames: int, n_speakers: int) -> None:
        n_steps = n_frames // STEP_FRAMES + 2
        self._sums = np.zeros((n_steps, n_speakers), np.float32)
        self._weights = np.zeros(n_steps, np.float32)

    def add(self, windows: Windows, which: slice, cosines: Floats) -> None:
        """What windows `which` say, shape (m, n_speakers); most about their centre, nothing about their edges."""
        for start, centre, cosine in zip(windows.starts[which], windows.centres[which], cosines, strict=True):
            steps = self._steps(int(start), int(start) + windows.width)
            off_centre = np.abs((steps + 0.5) * STEP_FRAMES - centre) / (windows.width / 2)
            weights = np.maximum(1e-3, 1 - off_centre).astype(np.float32)
            self._sums[steps] += weights[:, None] * cosine
            self._weights[steps] += weights

    def turns(self, regions: Sequence[Span]) -> Iterator[SpeakerTurn]:
        """Who speaks in each region, in order; speakers are named by their index. Turns end at region borders."""
        for region in regions:
            yield from self._turns(region)

    def _turns(self, region: Span) -> Iterator[SpeakerTurn]:
        steps = self._steps(region.start // HOP, -(-region.end // HOP))
        weights = np.maximum(self._weights[steps], np.float32(1e-9))
        path = most_likely(np.divide(self._sums[steps], weights[:, None], dtype=np.float32))
        changes = np.flatnonzero(np.diff(path)) + 1
        bounds = [region.start / RATE_HZ, *((steps[0] + changes) * STEP_S).tolist(), region.end / RATE_HZ]
        speakers = path[[0, *changes.tolist()]]
        for start_s, end_s, speaker in zip(bounds[:-1], bounds[1:], speakers, strict=True):
            if end_s > start_s:
                yield SpeakerTurn(start_s, end_s, str(speaker))

    def _steps(self, first_frame: int, last_frame: int) -> Labels:
        first = min(first_frame // STEP_FRAMES, len(self._weights) - 1)
        last = min(max(first + 1, -(-last_frame // STEP_FRAMES)), len(self._weights))
        return np.arange(first, last)


def most_likely(likeness: Floats) -> Labels:
    """The best path (Viterbi), each change at a cost; from shape (n_steps, n_speakers) to (n_steps,)."""
    n_steps, n_speakers = likeness.shape
    best, came_from = likeness[0].copy(), np.zeros((n_steps, n_speakers), np.int64)
    stay = np.arange(n_speakers)
    for step in range(1, n_steps):
        leader = best.argmax()
        switched = best[leader] - SWITCH_COST
        came_from[step] = np.where(best >= switched, stay, leader)
        best = np.maximum(best, switched) + likeness[step]
    path = np.empty(n_steps, np.int64)
    path[-1] = best.argmax()
    for step in range(n_steps - 1, 0, -1):
        path[step - 1] = came_from[step, path[step]]
    return path
