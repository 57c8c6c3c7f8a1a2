"""Where to look for voices: windows of equal length that cover the regions of speech."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.audio.sound import Span
from app.engines.diarization import Watch
from app.engines.embedded.encoder import BATCH, Encoder
from app.engines.embedded.features import Features
from app.engines.embedded.mel import HOP, Floats

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows of `width` frames of 10 ms. `starts` and `centres` are frames, both of shape (n,), ascending.

    A region shorter than a window lies in the middle of one, so that `centres` stay within speech.
    """

    width: int
    starts: Integers
    centres: Integers

    def __len__(self) -> int:
        return len(self.starts)


def place(regions: Sequence[Span], n_frames: int, *, width: int, hop: int) -> Windows:
    """Windows over each region, at most `hop` frames apart, that do not reach beyond it if it is long enough."""
    pairs = [pair for region in regions for pair in _over(region, n_frames, width, hop)]
    starts, centres = np.array(pairs, np.int64).reshape(-1, 2).T
    return Windows(width, starts, centres)


def embedded(encoder: Encoder, features: Features, windows: Windows, watch: Watch) -> Iterator[tuple[slice, Floats]]:
    """The voices in the windows, some at a time: which, and their unit vectors, shape (m, 256).

    Raises:
        Cancelled: `watch` asked for it.
    """
    for first in range(0, len(windows), BATCH):
        watch.check()
        which = slice(first, min(first + BATCH, len(windows)))
        spectra = np.stack([features.power(int(start), windows.width) for start in windows.starts[which]])
        yield which, encoder.voices(spectra)
        watch.progress(which.stop / len(windows))


def _over(region: Span, n_frames: int, width: int, hop: int) -> list[tuple[int, int]]:
    first, last = round(region.start / HOP), round(region.end / HOP)
    if last - first <= width:
        middle = (first + last) // 2
        return [(max(0, min(middle - width // 2, n_frames - width)), middle)]
    count = max(2, -(-(last - first - width) // hop) + 1)
    starts = np.linspace(first, last - width, count).astype(int).tolist()
    return [(start, start + width // 2) for start in starts]
