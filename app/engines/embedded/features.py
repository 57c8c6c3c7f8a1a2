"""Goes through a recording once and keeps what telling speakers apart needs of it: 8 kB a second, not the sound."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.audio.regions import RegionSettings, speech_regions
from app.audio.sound import RATE_HZ, Pcm, Span, VoiceActivity
from app.engines.diarization import SoundStream, Watch
from app.engines.embedded.mel import N_BANDS, Floats, MelStream

BLOCK_SAMPLES = 10 * RATE_HZ
LOUDNESS = 10 ** (-30 / 20)
"""The root mean square (−30 dBFS) that the encoder wants sound raised to, but never lowered."""
Halves = npt.NDArray[np.float16]


@dataclass(frozen=True, slots=True)
class Features:
    """A recording as the next steps see it: `regions` of speech, and `amplitudes` of mel bands, shape (n_frames, 40).

    Amplitudes are kept in half the bytes of power; `gain` is what the sound should be raised by.
    """

    n_samples: int
    regions: tuple[Span, ...]
    amplitudes: Halves
    gain: float

    @property
    def n_frames(self) -> int:
        """How many frames of 10 ms there are."""
        return len(self.amplitudes)

    def power(self, start: int, n_frames: int) -> Floats:
        """The power of the bands from frame `start` on, at the loudness the encoder wants, shape (n_frames, 40).

        A recording that ends before is repeated: a voice shorter than a window is the same voice said again.
        """
        piece = self.amplitudes[start : start + n_frames]
        if len(piece) < n_frames:
            piece = np.resize(piece, (n_frames, N_BANDS))
        raised: Floats = np.square(piece * np.float32(self.gain), dtype=np.float32)
        return raised


def extract(sound: SoundStream, vad: VoiceActivity, settings: RegionSettings, watch: Watch) -> Features:
    """Listen to all of it.

    Raises:
        Cancelled: `watch` asked for it.
    """
    vad.reset()
    mel, energy, n_samples = MelStream(), 0.0, 0
    spectra: list[Halves] = []
    told: list[npt.NDArray[np.float32]] = []
    for block in _blocks(sound):
        watch.check()
        told.append(vad.probabilities(block))
        spectra.append(_halved(mel.feed(block)))
        energy += float(np.square(block, dtype=np.float64).sum())
        n_samples += len(block)
        watch.progress(_share(n_samples, sound.duration_s))
    spectra.append(_halved(mel.finish()))
    probabilities = np.concatenate([*told, np.zeros(0, np.float32)])
    regions = speech_regions(probabilities, settings, hop=vad.hop, n_samples=n_samples)
    return Features(n_samples, tuple(regions), np.concatenate(spectra), _gain(energy, n_samples))


def _blocks(sound: SoundStream) -> Iterator[Pcm]:
    """The sound in blocks of at most 10 s, without samples that are no numbers: one would spoil all that follows."""
    for block in sound.blocks:
        for first in range(0, len(block), BLOCK_SAMPLES):
            piece = np.nan_to_num(block[first : first + BLOCK_SAMPLES], nan=0.0, posinf=1.0, neginf=-1.0)
            yield np.clip(piece, -1.0, 1.0).astype(np.float32)


def _halved(power: Floats) -> Halves:
    return np.sqrt(power).astype(np.float16)


def _gain(energy: float, n_samples: int) -> float:
    root_mean_square = float(np.sqrt(energy / max(1, n_samples)))
    return max(1.0, LOUDNESS / max(root_mean_square, 1e-6))


def _share(n_samples: int, duration_s: float | None) -> float:
    """How much of the recording was heard, 0…1; 0 as long as nobody knows its length."""
    return min(1.0, n_samples / RATE_HZ / duration_s) if duration_s else 0.0
