"""From how much each moment sounds like each speaker to who speaks when."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from app.audio.sound import RATE_HZ, Span
from app.domain.speaker_turn import SpeakerTurn
from app.engines.embedded.mel import FRAMES_PER_S, HOP, Floats
from app.engines.embedded.pieces import Piece
from app.engines.embedded.windows import Windows

STEP_FRAMES = 5
STEP_S = STEP_FRAMES / FRAMES_PER_S
SWITCH_COST, COST_AT_CUT = 0.4, 0.05
"""How much more like another speaker (sum of cosines over steps) the sound must be for a change to be believed, and
where a change of voices was overheard."""
SURE_FRAMES = 160
"""Frames of a window whose voice counts in full."""


class Timeline:
    """Gathers, for each 50 ms, the likeness to each of `n_speakers`: cosines of the windows around it."""

    def __init__(self, n_frames: int, n_speakers: int) -> None:
        n_steps = n_frames // STEP_FRAMES + 2
        self._sums = np.zeros((n_steps, n_speakers), np.float32)
        self._weights = np.zeros(n_steps, np.float32)

    def add(self, windows: Windows, cosines: Floats) -> None:
        """What windows say, shape (n, n_speakers); most about their centre, least about their edges."""
        for start, width, centre, cosine in zip(
            windows.starts.tolist(), windows.widths.tolist(), windows.centres.tolist(), cosines, strict=True
        ):
            steps = self._steps(start, start + width)
            off_centre = np.abs((steps + 0.5) * STEP_FRAMES - centre) / ((width + STEP_FRAMES) / 2)
            sureness = min(1.0, width / SURE_FRAMES + 0.25)
            weights = np.maximum(1e-3, 1 - off_centre).astype(np.float32) * np.float32(sureness)
            self._sums[steps] += weights[:, None] * cosine
            self._weights[steps] += weights

    def turns(self, regions: Sequence[Span], pieces: Sequence[Piece]) -> Iterator[SpeakerTurn]:
        """Who speaks in each region, in order; speakers are named by their index. Turns end at region borders."""
        costs = np.full(len(self._weights), SWITCH_COST, np.float32)
        costs[[min(piece.start // STEP_FRAMES, len(costs) - 1) for piece in pieces]] = COST_AT_CUT
        for region in regions:
            yield from self._turns(region, costs)

    def _turns(self, region: Span, costs: Floats) -> Iterator[SpeakerTurn]:
        steps = self._steps(region.start // HOP, -(-region.end // HOP))
        weights = np.maximum(self._weights[steps], np.float32(1e-9))
        path = most_likely(np.divide(self._sums[steps], weights[:, None], dtype=np.float32), costs[steps])
        changes = np.flatnonzero(np.diff(path)) + 1
        bounds = [region.start / RATE_HZ, *((steps[0] + changes) * STEP_S).tolist(), region.end / RATE_HZ]
        speakers = path[[0, *changes.tolist()]]
        for start_s, end_s, speaker in zip(bounds[:-1], bounds[1:], speakers, strict=True):
            if end_s > start_s:
                yield SpeakerTurn(start_s, end_s, str(speaker))

    def _steps(self, first_frame: int, last_frame: int) -> npt.NDArray[np.int64]:
        first = min(first_frame // STEP_FRAMES, len(self._weights) - 1)
        last = min(max(first + 1, -(-last_frame // STEP_FRAMES)), len(self._weights))
        return np.arange(first, last)


def most_likely(likeness: Floats, costs: Floats) -> npt.NDArray[np.int64]:
    """The best path (Viterbi), a change at step i at `costs[i]`; from shape (n_steps, n_speakers) to (n_steps,)."""
    n_steps, n_speakers = likeness.shape
    best, came_from = likeness[0].copy(), np.zeros((n_steps, n_speakers), np.int64)
    stay = np.arange(n_speakers)
    for step in range(1, n_steps):
        leader = best.argmax()
        switched = best[leader] - costs[step]
        came_from[step] = np.where(best >= switched, stay, leader)
        best = np.maximum(best, switched) + likeness[step]
    path = np.empty(n_steps, np.int64)
    path[-1] = best.argmax()
    for step in range(n_steps - 1, 0, -1):
        path[step - 1] = came_from[step, path[step]]
    return path
