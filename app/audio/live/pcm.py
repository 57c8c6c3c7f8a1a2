"""Bare samples: signed 16-bit, 32-bit float, or mu-law, mono, at any rate from 8 to 48 kHz."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from app.audio.live.base import MULAW, PCM_F32LE, PCM_S16LE, RestartPoint
from app.audio.live.resampling import LiveResampler, restart_before
from app.audio.sound import Pcm

MULAW_BIAS = 33
MULAW_FULL_SCALE = 8_192


@dataclass(frozen=True, slots=True)
class SampleForm:
    """How a sample is written: in how many bytes, and what they mean (bytes → float32, shape (n,))."""

    n_bytes: int
    read: Callable[[bytes], Pcm]


class PcmDecoder:
    """A `LiveDecoder` of bare samples at `rate_hz`."""

    def __init__(self, form: SampleForm, rate_hz: int) -> None:
        self._form = form
        self._rate_hz = rate_hz
        self._resampler = LiveResampler(rate_hz)
        self._half = b""

    def feed(self, data: bytes) -> Pcm:
        """The sound of every whole sample; half a one waits for its rest."""
        data = self._half + data
        n_whole = len(data) - len(data) % self._form.n_bytes
        self._half = data[n_whole:]
        return self._resampler.feed(self._form.read(data[:n_whole]))

    def flush(self) -> Pcm:
        """What the resampler held; half a sample is nothing."""
        self._half = b""
        return self._resampler.flush()

    def close(self) -> None:
        """Nothing is held."""

    def restart_at(self, sample: int) -> RestartPoint:
        """See `LiveDecoder`; any earlier position can be asked for."""
        n_in, n_out = restart_before(sample, self._rate_hz)
        return RestartPoint(n_in * self._form.n_bytes, n_out)


def _read_s16(data: bytes) -> Pcm:
    return np.frombuffer(data, "<i2").astype(np.float32) / np.float32(32_768)


def _read_f32(data: bytes) -> Pcm:
    """What is no number is silence, what is beyond full scale is cut off: one such sample would spoil an utterance."""
    samples = np.nan_to_num(np.frombuffer(data, "<f4"), nan=0.0, posinf=1.0, neginf=-1.0)
    clipped: Pcm = np.clip(samples, -1.0, 1.0).astype(np.float32)
    return clipped


def _read_mulaw(data: bytes) -> Pcm:
    return _MULAW[np.frombuffer(data, np.uint8)]


def _mulaw_values() -> Pcm:
    """The value of each of the 256 codes (ITU-T G.711, table 2b), as a share of full scale."""
    codes = ~np.arange(256, dtype=np.uint8)
    exponents, mantissas = (codes >> 4) & 7, codes & 15
    sizes = ((2 * mantissas.astype(np.int32) + MULAW_BIAS) << exponents) - MULAW_BIAS
    return (np.where(codes & 0x80, -sizes, sizes) / MULAW_FULL_SCALE).astype(np.float32)


_MULAW = _mulaw_values()

FORMS = {
    PCM_S16LE: SampleForm(2, _read_s16),
    PCM_F32LE: SampleForm(4, _read_f32),
    MULAW: SampleForm(1, _read_mulaw),
}
"""The encodings that are bare samples."""
