"""Voices by CAM++: the recording in blocks that overlap by half, each window from the block it is most central in."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from app.engines.diarization import Watch
from app.engines.embedded.campplus import FRAMES_A_STEP, N_DIMENSIONS, CamPlus
from app.engines.embedded.features import Features
from app.engines.embedded.mel import Floats, KaldiLogarithms
from app.engines.embedded.windows import Windows

BLOCK, BLOCK_HOP = 400, 200
"""Frames: 4 s, each 2 s. Shorter ones tell voices apart less well, longer ones blend two people's."""
BATCH = 8
MIN_STEPS = 4
"""Of 20 ms: below, a mean and a spread say nothing."""
Integers = npt.NDArray[np.int64]


class CamPlusVoices:
    """A `VoiceEncoder`."""

    limit: ClassVar[float] = 0.35
    """Tuned on meetings and on conversations put together from read speech; 0.33 to 0.37 do about as well."""

    def __init__(self, network: CamPlus) -> None:
        self._network = network

    def spectrogram(self) -> KaldiLogarithms:
        """See `VoiceEncoder`."""
        return KaldiLogarithms()

    def voices(self, features: Features, sets: Sequence[Windows], watch: Watch) -> list[Floats]:
        """See `VoiceEncoder`."""
        starts = _block_starts(features.n_frames)
        homes = [_homes(windows, starts) for windows in sets]
        wanted = np.unique(np.concatenate(homes))
        out = [np.empty((len(windows), N_DIMENSIONS), np.float32) for windows in sets]
        level = features.level()
        for first in range(0, len(wanted), BATCH):
            watch.check()
            some = wanted[first : first + BATCH]
            spectra = np.stack([features.frames(start, BLOCK) for start in starts[some].tolist()]) - level
            for block, steps in zip(some.tolist(), self._network.steps(spectra), strict=True):
                for windows, home, voices in zip(sets, homes, out, strict=True):
                    which = slice(*np.searchsorted(home, [block, block + 1]).tolist())
                    if which.start < which.stop:
                        inner = windows.starts[which] - starts[block]
                        voices[which] = self._network.voices(_parts(steps, inner, windows.widths[which]))
            watch.progress((first + len(some)) / len(wanted))
        return out


def _block_starts(n_frames: int) -> Integers:
    """Where blocks begin, ascending; the last one ends with the recording."""
    last = max(0, n_frames - BLOCK)
    return np.append(np.arange(0, last, BLOCK_HOP), last)


def _homes(windows: Windows, starts: Integers) -> Integers:
    """For each window the block whose middle is nearest to its own, ascending, shape (n,)."""
    borders = (starts[1:] + starts[:-1]) / 2 + BLOCK / 2
    return np.searchsorted(borders, windows.centres)


def _parts(steps: Floats, starts: Integers, widths: Integers) -> list[Floats]:
    """The steps of windows that begin at `starts` frames of the block and are so many frames wide."""
    counts = np.maximum(MIN_STEPS, widths // FRAMES_A_STEP)
    firsts = np.clip(starts // FRAMES_A_STEP, 0, steps.shape[1] - counts)
    return [steps[:, first : first + n] for first, n in zip(firsts.tolist(), counts.tolist(), strict=True)]
