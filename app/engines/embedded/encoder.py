"""Resemblyzer's speaker encoder (Wan et al. 2018, generalized end-to-end loss): a stretch of sound → a voice.

Its package is not imported, only its weights are read. The network is three layers of LSTM, a linear one, and ReLU.
"""

from pathlib import Path
from typing import Any

import numpy as np

from app.engines.embedded.mel import N_BANDS, Floats

N_DIMENSIONS = 256
N_LAYERS = 3
BATCH = 64
MEAN_VOICE = Path(__file__).with_name("mean_voice.npy")
"""The mean of many people's voices: what all have in common says nothing about who it is, and is taken away."""


class Encoder:
    """The network, ready to run on the CPU."""

    def __init__(self, weights: Path) -> None:
        """Raises whatever torch raises when the file is not what it should be."""
        import torch

        self._torch = torch
        state = torch.load(weights, map_location="cpu", weights_only=True)["model_state"]
        self._lstm = _loaded(torch.nn.LSTM(N_BANDS, N_DIMENSIONS, N_LAYERS, batch_first=True), state, "lstm.")
        self._linear = _loaded(torch.nn.Linear(N_DIMENSIONS, N_DIMENSIONS), state, "linear.")
        self._mean = np.load(MEAN_VOICE)

    def voices(self, spectra: Floats) -> Floats:
        """A voice for each of some spectrograms of power, shape (n, n_frames, 40) → unit vectors, shape (n, 256)."""
        if not len(spectra):
            return np.zeros((0, N_DIMENSIONS), np.float32)
        with self._torch.inference_mode():
            _, (hidden, _) = self._lstm(self._torch.from_numpy(spectra))
            raw = self._torch.relu(self._linear(hidden[-1])).numpy()
        return unit(unit(raw) - self._mean)


def unit(vectors: Floats) -> Floats:
    """The vectors, shape (…, d), at length 1."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-9), np.float32)


def _loaded(module: Any, state: dict[str, Any], prefix: str) -> Any:
    module.load_state_dict({name.removeprefix(prefix): t for name, t in state.items() if name.startswith(prefix)})
    return module.eval()
