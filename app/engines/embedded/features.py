"""Goes through a recording once and keeps what telling speakers apart needs of it: 18 kB a second, not the sound."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.audio.regions import RegionSettings, speech_regions
from app.audio.sound import RATE_HZ, Pcm, Span, VoiceActivity
from app.engines.diarization import SoundStream, Watch
from app.engines.embedded.mel import HOP, Floats, Spectrogram
from app.engines.embedded.overheard import Eavesdropper
from app.engines.embedded.pieces import Piece, cut
from app.engines.embedded.rows import Rows
from app.engines.embedded.segmentation import Segmenter
from app.engines.embedded.spans import joined

BLOCK_SAMPLES = 10 * RATE_HZ
LOUDNESS = 10 ** (-30 / 20)
"""The root mean square (−30 dBFS) that Resemblyzer wants sound raised to, but never lowered."""
Halves = npt.NDArray[np.float16]


@dataclass(frozen=True, slots=True)
class Features:
    """A recording as the next steps see it.

    `regions` are those of speech, `pieces` the same cut where voices change, `together` where two speak at once, all
    in order; `spectra` are what the encoder's spectrogram gave, shape (n_frames, n_bands), in half the bytes; `gain`
    is what the sound should be raised by.
    """

    n_samples: int
    regions: tuple[Span, ...]
    pieces: tuple[Piece, ...]
    together: tuple[Span, ...]
    spectra: Halves
    gain: float

    @property
    def n_frames(self) -> int:
        """How many frames of 10 ms there are."""
        return len(self.spectra)

    def frames(self, start: int, n_frames: int) -> Floats:
        """The spectrogram from frame `start` on, shape (n_frames, n_bands).

        A recording that ends before is repeated: a voice shorter than a window is the same voice said again.
        """
        piece = self.spectra[start : start + n_frames]
        if len(piece) < n_frames:
            piece = np.resize(piece, (n_frames, self.spectra.shape[1]))
        return piece.astype(np.float32)

    def level(self) -> Floats:
        """The mean of each band where there is speech, shape (n_bands,): what the microphone and the room add."""
        spoken = [self.spectra[one.start // HOP : one.end // HOP + 1] for one in self.regions]
        sums = np.sum([frames.sum(axis=0, dtype=np.float64) for frames in spoken], axis=0)
        return np.asarray(sums / max(1, sum(map(len, spoken))), np.float32)


@dataclass(frozen=True, slots=True)
class Listener:
    """What hears a recording: `vad` finds speech; `segmenter`, if there is one, more of it and where two speak."""

    vad: VoiceActivity
    segmenter: Segmenter | None
    settings: RegionSettings

    def hear(self, sound: SoundStream, spectrogram: Spectrogram, watch: Watch) -> Features:
        """Listen to all of it.

        Raises:
            Cancelled: `watch` asked for it.
        """
        self.vad.reset()
        eavesdropper, energy, n_samples = Eavesdropper(self.segmenter), 0.0, 0
        spectra = Rows(spectrogram.n_bands, np.float16)
        told: list[npt.NDArray[np.float32]] = []
        for block in _blocks(sound):
            watch.check()
            told.append(self.vad.probabilities(block))
            eavesdropper.feed(block)
            spectra.extend(spectrogram.feed(block))
            energy += float(np.square(block, dtype=np.float64).sum())
            n_samples += len(block)
            watch.progress(_share(n_samples, sound.duration_s))
        spectra.extend(spectrogram.finish())
        overheard = eavesdropper.finish()
        probabilities = np.concatenate([*told, np.zeros(0, np.float32)])
        regions = speech_regions(probabilities, self.settings, hop=self.vad.hop, n_samples=n_samples)
        heard = tuple(joined([*regions, *overheard.speech()]))
        pieces = tuple(cut(heard, overheard.who(len(spectra))))
        together = tuple(overheard.together())
        return Features(n_samples, heard, pieces, together, spectra.all(), _gain(energy, n_samples))


def _blocks(sound: SoundStream) -> Iterator[Pcm]:
    """The sound in blocks of at most 10 s, without samples that are no numbers: one would spoil all that follows."""
    for block in sound.blocks:
        for first in range(0, len(block), BLOCK_SAMPLES):
            piece = np.nan_to_num(block[first : first + BLOCK_SAMPLES], nan=0.0, posinf=1.0, neginf=-1.0)
            yield np.clip(piece, -1.0, 1.0).astype(np.float32)


def _gain(energy: float, n_samples: int) -> float:
    root_mean_square = float(np.sqrt(energy / max(1, n_samples)))
    return max(1.0, LOUDNESS / max(root_mean_square, 1e-6))


def _share(n_samples: int, duration_s: float | None) -> float:
    """How much of the recording was heard, 0…1; 0 as long as nobody knows its length."""
    return min(1.0, n_samples / RATE_HZ / duration_s) if duration_s else 0.0
