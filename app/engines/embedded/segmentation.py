"""pyannote's segmentation network (Plaquet and Bredin 2023): whether nobody, one or two speak, each 17 ms.

Its package is not imported: that takes seconds and a hundred megabytes, the network is a page. Filters of learned
pitch (Ravanelli and Bengio 2018; pairs of cosine and sine by Pariente et al. 2020), four layers of LSTM that go both
ways, and seven classes: nobody, one of three people, two of them. Who they are is another network's to say.
"""

from math import pi
from typing import Any

from app.audio.sound import RATE_HZ
from app.engines.embedded.arithmetic import loaded
from app.engines.embedded.mel import Floats

CHUNK = 10 * RATE_HZ
"""Samples it hears at once, as in its training."""
STEP, CENTRE = 270, 495
"""Samples from one of its answers to the next, and to the middle of what the first is about."""
FILTERS, STRIDE = 251, 10
MIN_HZ = 50.0
"""Least pitch of a filter's lower edge, and least width."""
N_HIDDEN, N_LAYERS = 128, 4
N_SLOTS, N_CLASSES = 3, 7
"""Up to three people in a chunk; the classes are nobody, each of them alone, and the pairs of them in order."""


class Segmenter:
    """The network, ready to run on the CPU."""

    def __init__(self, state: dict[str, Any]) -> None:
        """Raises `KeyError` or whatever torch raises when the weights are not what they should be."""
        import torch

        self._torch, self._state = torch, state
        self._functions = torch.nn.functional
        lstm = torch.nn.LSTM(60, N_HIDDEN, N_LAYERS, batch_first=True, bidirectional=True)
        self._lstm = loaded(lstm, state, "lstm.")
        self._filters = self._made_filters()

    def classes(self, chunks: Floats) -> Floats:
        """How likely each class is, for chunks of sound, shape (n, CHUNK) → (n, 589, 7)."""
        with self._torch.inference_mode():
            x, _ = self._lstm(self._heard(self._torch.from_numpy(chunks)[:, None]).transpose(1, 2))
            for layer in ("linear.0", "linear.1"):
                x = self._functions.leaky_relu(self._linear(x, layer))
            out: Floats = self._linear(x, "classifier").softmax(-1).numpy()
        return out

    def _heard(self, x: Any) -> Any:
        """Three convolutions, each a third as often: (n, 1, CHUNK) → (n, 60, 589)."""
        x = self._evened(x, "sincnet.wav_norm1d")
        x = self._functions.conv1d(x, self._filters, stride=STRIDE).abs()
        for layer in range(3):
            if layer:
                name = f"sincnet.conv1d.{layer}"
                x = self._functions.conv1d(x, self._state[f"{name}.weight"], self._state[f"{name}.bias"])
            x = self._evened(self._functions.max_pool1d(x, 3), f"sincnet.norm1d.{layer}")
            x = self._functions.leaky_relu(x)
        return x

    def _evened(self, x: Any, name: str) -> Any:
        """Each channel of each chunk at mean 0 and spread 1, then as the network wants it."""
        return self._functions.instance_norm(x, weight=self._state[f"{name}.weight"], bias=self._state[f"{name}.bias"])

    def _linear(self, x: Any, name: str) -> Any:
        return self._functions.linear(x, self._state[f"{name}.weight"], self._state[f"{name}.bias"])

    def _made_filters(self) -> Any:
        """Band passes between two pitches each, 40 even and 40 odd, shape (80, 1, 251)."""
        torch, part = self._torch, "sincnet.conv1d.0.filterbank."
        low = MIN_HZ + self._state[f"{part}low_hz_"].abs()
        high = (low + MIN_HZ + self._state[f"{part}band_hz_"].abs()).clamp(MIN_HZ, RATE_HZ / 2)
        half = FILTERS // 2
        times = 2 * pi * torch.arange(-half, 0.0)[None] / RATE_HZ
        window = torch.hamming_window(FILTERS, periodic=False)[:half]
        even = (torch.sin(high * times) - torch.sin(low * times)) / (times / 2) * window
        odd = (torch.cos(low * times) - torch.cos(high * times)) / (times / 2) * window
        middle = 2 * (high - low)
        evens = torch.cat([even, middle, even.flip(1)], 1)
        odds = torch.cat([odd, torch.zeros_like(middle), -odd.flip(1)], 1)
        return (torch.cat([evens, odds]) / torch.cat([middle, middle]))[:, None]
