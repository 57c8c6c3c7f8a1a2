"""Spectrograms of 25 ms, one each 10 ms, as the encoders were trained on them.

Resemblyzer's has 40 mel bands of Slaney's Auditory Toolbox (1998), as librosa makes them by default; that of CAM++
has 80 logarithmic ones as Kaldi makes them (Povey et al. 2011). Both are equal to those up to rounding.
"""

from typing import Protocol

import numpy as np
import numpy.typing as npt

from app.audio.sound import RATE_HZ, Pcm

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

HOP = 160
FRAMES_PER_S = RATE_HZ // HOP
WIDTH = 400
HZ_PER_MEL = 200 / 3
KNEE_HZ = 1000.0
LOG_STEP = np.log(6.4) / 27
"""Below the knee Slaney's scale is linear, above it 27 mels are a factor of 6.4."""
LEAST_HZ = 20.0
PREEMPHASIS = 0.97
N_FOURIER = 512
FLOOR = np.float32(1.1920929e-07)
"""Power below which Kaldi's logarithm does not look (the spacing of floats at 1)."""


class Spectrogram(Protocol):
    """Follows one recording. `n_bands` are told of each frame."""

    n_bands: int

    def feed(self, pcm: Pcm) -> Floats:
        """The bands of each frame that has become whole, shape (m, n_bands); `pcm` has shape (n,), any n."""

    def finish(self) -> Floats:
        """The frames still open when the recording ends."""


class Frames:
    """Cuts a recording into frames centred on multiples of the hop, as if silence stood before and after."""

    def __init__(self) -> None:
        self._pending: Pcm = np.zeros(WIDTH // 2, np.float32)

    def feed(self, pcm: Pcm) -> Floats:
        """The frames that have become whole, shape (m, 400)."""
        stream = np.concatenate([self._pending, pcm])
        n_frames = max(0, (len(stream) - WIDTH) // HOP + 1)
        self._pending = stream[n_frames * HOP :].copy()
        if not n_frames:
            return np.zeros((0, WIDTH), np.float32)
        return np.lib.stride_tricks.sliding_window_view(stream, WIDTH)[: n_frames * HOP : HOP]


class SlaneyAmplitudes:
    """A `Spectrogram` of 40 bands, the roots of their power."""

    n_bands = 40

    def __init__(self) -> None:
        self._frames = Frames()
        self._window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WIDTH) / WIDTH)).astype(np.float32)
        self._bands = _slaney_bands(self.n_bands)

    def feed(self, pcm: Pcm) -> Floats:
        """See `Spectrogram`."""
        power = np.abs(np.fft.rfft(self._frames.feed(pcm) * self._window, axis=1)) ** 2
        amplitudes: Floats = np.sqrt(power.astype(np.float32) @ self._bands.T)
        return amplitudes

    def finish(self) -> Floats:
        """See `Spectrogram`."""
        return self.feed(np.zeros(WIDTH // 2, np.float32))


class KaldiLogarithms:
    """A `Spectrogram` of 80 bands, the logarithms of their power."""

    n_bands = 80

    def __init__(self) -> None:
        self._frames = Frames()
        hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WIDTH) / (WIDTH - 1))
        self._window = (hann**0.85).astype(np.float32)
        self._bands = _kaldi_bands(self.n_bands)

    def feed(self, pcm: Pcm) -> Floats:
        """See `Spectrogram`."""
        frames = self._frames.feed(pcm)
        frames = frames - frames.mean(axis=1, keepdims=True)
        before = np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
        emphasised = (frames - np.float32(PREEMPHASIS) * before) * self._window
        power = np.abs(np.fft.rfft(emphasised, N_FOURIER, axis=1)) ** 2
        logarithms: Floats = np.log(np.maximum(power.astype(np.float32) @ self._bands.T, FLOOR))
        return logarithms

    def finish(self) -> Floats:
        """See `Spectrogram`."""
        return self.feed(np.zeros(WIDTH // 2, np.float32))


def _slaney_bands(n_bands: int) -> Floats:
    """Triangles of equal area over the bins of the Fourier transform, shape (n_bands, 201)."""
    bins_hz = np.linspace(0, RATE_HZ / 2, WIDTH // 2 + 1)
    edges_hz = _hz(np.linspace(0, _mel(RATE_HZ / 2), n_bands + 2))
    areas = 2 / (edges_hz[2:] - edges_hz[:-2])
    return (_triangles(bins_hz, edges_hz) * areas[:, None]).astype(np.float32)


def _kaldi_bands(n_bands: int) -> Floats:
    """Triangles of equal height, even on the mel scale, over the bins of Fourier's transform, shape (n_bands, 257)."""
    bins = _natural_mel(np.linspace(0, RATE_HZ / 2, N_FOURIER // 2 + 1))
    least, most = _natural_mel(np.array([LEAST_HZ, RATE_HZ / 2])).tolist()
    edges = np.linspace(least, most, n_bands + 2)
    return _triangles(bins, edges).astype(np.float32)


def _triangles(bins: Doubles, edges: Doubles) -> Doubles:
    """Each rises from one edge to the next and falls to the one after."""
    slopes = edges[:, None] - bins[None]
    widths = np.diff(edges)[:, None]
    return np.maximum(0, np.minimum(-slopes[:-2] / widths[:-1], slopes[2:] / widths[1:]))


def _natural_mel(hz: Doubles) -> Doubles:
    return 1127 * np.log1p(hz / 700)


def _mel(hz: float) -> float:
    return float(KNEE_HZ / HZ_PER_MEL + np.log(hz / KNEE_HZ) / LOG_STEP) if hz > KNEE_HZ else hz / HZ_PER_MEL


def _hz(mels: Doubles) -> Doubles:
    knee = KNEE_HZ / HZ_PER_MEL
    above: Doubles = KNEE_HZ * np.exp(LOG_STEP * (mels - knee))
    return np.where(mels >= knee, above, HZ_PER_MEL * mels)
