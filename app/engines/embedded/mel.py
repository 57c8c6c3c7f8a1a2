"""The spectrogram that Resemblyzer's encoder was trained on: 40 mel bands of power, 25 ms wide, one each 10 ms.

The bands are those of Slaney's Auditory Toolbox (1998), as librosa makes them by default, to whose output this is
equal up to rounding.
"""

import numpy as np
import numpy.typing as npt

from app.audio.sound import RATE_HZ, Pcm

Floats = npt.NDArray[np.float32]

HOP = 160
FRAMES_PER_S = RATE_HZ // HOP
WIDTH = 400
N_BANDS = 40
HZ_PER_MEL = 200 / 3
KNEE_HZ = 1000.0
LOG_STEP = np.log(6.4) / 27
"""Below the knee the scale is linear, above it 27 mels are a factor of 6.4."""


class MelStream:
    """Follows one recording; frames are centred on multiples of the hop, as if silence stood before and after."""

    def __init__(self) -> None:
        self._pending: Pcm = np.zeros(WIDTH // 2, np.float32)
        self._window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WIDTH) / WIDTH)).astype(np.float32)
        self._bands = _bands()

    def feed(self, pcm: Pcm) -> Floats:
        """The power of each band in each frame that has become whole, shape (m, 40); `pcm` has shape (n,)."""
        stream = np.concatenate([self._pending, pcm])
        n_frames = max(0, (len(stream) - WIDTH) // HOP + 1)
        self._pending = stream[n_frames * HOP :].copy()
        if not n_frames:
            return np.zeros((0, N_BANDS), np.float32)
        frames = np.lib.stride_tricks.sliding_window_view(stream, WIDTH)[: n_frames * HOP : HOP]
        power = np.abs(np.fft.rfft(frames * self._window, axis=1)) ** 2
        return np.asarray(power.astype(np.float32) @ self._bands.T, np.float32)

    def finish(self) -> Floats:
        """The frames still open when the recording ends."""
        return self.feed(np.zeros(WIDTH // 2, np.float32))


def _bands() -> Floats:
    """Triangles of equal area over the bins of the Fourier transform, shape (40, 201)."""
    bins_hz = np.linspace(0, RATE_HZ / 2, WIDTH // 2 + 1)
    edges_hz = _hz(np.linspace(0, _mel(RATE_HZ / 2), N_BANDS + 2))
    slopes = edges_hz[:, None] - bins_hz[None]
    widths = np.diff(edges_hz)[:, None]
    triangles = np.maximum(0, np.minimum(-slopes[:-2] / widths[:-1], slopes[2:] / widths[1:]))
    areas = 2 / (edges_hz[2:] - edges_hz[:-2])
    return (triangles * areas[:, None]).astype(np.float32)


def _mel(hz: float) -> float:
    return float(KNEE_HZ / HZ_PER_MEL + np.log(hz / KNEE_HZ) / LOG_STEP) if hz > KNEE_HZ else hz / HZ_PER_MEL


def _hz(mels: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    knee = KNEE_HZ / HZ_PER_MEL
    above: npt.NDArray[np.float64] = KNEE_HZ * np.exp(LOG_STEP * (mels - knee))
    return np.where(mels >= knee, above, HZ_PER_MEL * mels)
