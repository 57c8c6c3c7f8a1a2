"""Resemblyzer's speaker encoder (Wan et al. 2018, generalized end-to-end loss): a stretch of sound → a voice.

Its package is not imported, only its weights are read. The network is three layers of LSTM, a linear one, and ReLU.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from app.engines.diarization import Watch
from app.engines.embedded.arithmetic import loaded, unit
from app.engines.embedded.features import Features
from app.engines.embedded.mel import Floats, SlaneyAmplitudes
from app.engines.embedded.windows import Windows

N_BANDS = 40
N_DIMENSIONS = 256
N_LAYERS = 3
BATCH = 64
MEAN_VOICE = Path(__file__).with_name("mean_voice.npy")
"""The mean of many people's voices: what all have in common says nothing about who it is, and is taken away."""


class Resemblyzer:
    """A `VoiceEncoder` that hears each window by itself."""

    limit: ClassVar[float] = 0.47

    def __init__(self, state: dict[str, Any]) -> None:
        """Raises whatever torch raises when the weights are not what they should be."""
        import torch

        self._torch = torch
        self._lstm = loaded(torch.nn.LSTM(N_BANDS, N_DIMENSIONS, N_LAYERS, batch_first=True), state, "lstm.")
        self._linear = loaded(torch.nn.Linear(N_DIMENSIONS, N_DIMENSIONS), state, "linear.")
        self._mean = np.load(MEAN_VOICE)

    def spectrogram(self) -> SlaneyAmplitudes:
        """See `VoiceEncoder`."""
        return SlaneyAmplitudes()

    def voices(self, features: Features, sets: Sequence[Windows], watch: Watch) -> list[Floats]:
        """See `VoiceEncoder`."""
        n_all, n_done = sum(len(windows) for windows in sets), 0
        out = []
        for windows in sets:
            out.append(np.empty((len(windows), N_DIMENSIONS), np.float32))
            for first in range(0, len(windows), BATCH):
                watch.check()
                centres = windows.centres[first : first + BATCH].tolist()
                heard = np.stack([_around(features, centre, windows.width) for centre in centres])
                out[-1][first : first + BATCH] = self._voices(np.square(heard * np.float32(features.gain)))
                n_done += len(centres)
                watch.progress(n_done / n_all)
        return out

    def _voices(self, spectra: Floats) -> Floats:
        """A voice for each of some spectrograms of power, shape (n, n_frames, 40) → unit vectors, shape (n, 256)."""
        with self._torch.inference_mode():
            _, (hidden, _) = self._lstm(self._torch.from_numpy(spectra))
            raw = self._torch.relu(self._linear(hidden[-1])).numpy()
        return unit(unit(raw) - self._mean)


def _around(features: Features, centre: float, n_frames: int) -> Floats:
    """So many frames around a moment, as far as the recording has them: the network wants all windows alike."""
    return features.frames(max(0, min(round(centre) - n_frames // 2, features.n_frames - n_frames)), n_frames)
