"""Any rate → 16 kHz, sample by sample the same wherever a stream was cut or begun anew.

Output sample m lies exactly at input position m·M/L, where L/M is 16 000 ÷ the rate in lowest terms: nothing drifts,
however long the stream. Each is a weighted sum of a fixed number of inputs around it (windowed sinc, Kaiser window;
J. O. Smith, Digital Audio Resampling), so a known piece of context is all that a restart needs.
"""

from fractions import Fraction
from functools import lru_cache
from math import ceil

import numpy as np
import numpy.typing as npt

from app.audio.sound import RATE_HZ, Pcm

ZERO_CROSSINGS = 20
KAISER_BETA = 8.0
ROLL_OFF = 0.94
"""The share of the band that is kept, so that the filter's slope ends where aliases would begin."""
BLOCK = 2_048
"""Samples made at once: a large frame must not take memory a hundred times its size."""

Samples = npt.NDArray[np.float64]


class LiveResampler:
    """Resamples one stream from `rate_hz` (Hz); its first input sample is its first output sample."""

    def __init__(self, rate_hz: int) -> None:
        self._ratio = Fraction(RATE_HZ, rate_hz)
        self._reach = reach(rate_hz)
        self._weights = _weights(self._ratio)
        # The first outputs look back to before the stream: to silence.
        self._held: Samples = np.zeros(self._reach)
        self._held_from = -self._reach
        self._n_out = 0

    def feed(self, samples: npt.NDArray[np.float32]) -> Pcm:
        """What can be told with these inputs, float32, 16 kHz."""
        if self._ratio == 1:
            return samples
        self._held = np.concatenate([self._held, samples])
        made = self._made_to(self._held_from + len(self._held) - self._reach)
        self._forget()
        return made

    def flush(self) -> Pcm:
        """The last outputs, which look ahead to silence."""
        return self.feed(np.zeros(0 if self._ratio == 1 else self._reach, np.float32))

    def _made_to(self, n_in: int) -> Pcm:
        """Every output that lies before input `n_in` and was not made yet."""
        last = max(self._n_out, ceil(n_in * self._ratio))
        blocks = [self._block(first, min(first + BLOCK, last)) for first in range(self._n_out, last, BLOCK)]
        self._n_out = last
        return np.concatenate(blocks) if blocks else np.zeros(0, np.float32)

    def _block(self, first: int, last: int) -> Pcm:
        at, phases = np.divmod(np.arange(first, last) * self._ratio.denominator, self._ratio.numerator)
        windows = np.lib.stride_tricks.sliding_window_view(self._held, 2 * self._reach)
        around = windows[at - self._held_from - self._reach + 1]
        # Summed row by row, not by a matrix product, whose rounding depends on how many rows there are.
        made: Pcm = (around * self._weights[phases]).sum(axis=1).astype(np.float32)
        return made

    def _forget(self) -> None:
        """Drop inputs that no output to come looks back to."""
        needed = self._n_out * self._ratio.denominator // self._ratio.numerator - self._reach
        n_old = max(0, needed - self._held_from)
        self._held = self._held[n_old:]
        self._held_from += n_old


def reach(rate_hz: int) -> int:
    """How many inputs on either side an output depends on; 0 if nothing is to be done."""
    return 0 if rate_hz == RATE_HZ else ceil(ZERO_CROSSINGS * max(1.0, rate_hz / RATE_HZ))


def restart_before(sample: int, rate_hz: int) -> tuple[int, int]:
    """The last (input, output) pair of positions that coincide and lie early enough to make `sample` anew exactly."""
    ratio = Fraction(RATE_HZ, rate_hz)
    earliest = sample * ratio.denominator // ratio.numerator - reach(rate_hz)
    n_periods = max(0, earliest // ratio.denominator)
    return n_periods * ratio.denominator, n_periods * ratio.numerator


@lru_cache(maxsize=8)
def _weights(ratio: Fraction) -> Samples:
    """For each of the L places an output can have between two inputs, the weights of the inputs around it."""
    n_side = reach(int(RATE_HZ / ratio))
    if not n_side:
        return np.zeros((1, 0))
    places = np.arange(ratio.numerator)[:, None] / ratio.numerator
    distances = np.arange(1 - n_side, n_side + 1)[None, :] - places
    window = np.i0(KAISER_BETA * np.sqrt(np.clip(1 - (distances / n_side) ** 2, 0, 1)))
    weights: Samples = np.sinc(distances * ROLL_OFF * min(1.0, float(ratio))) * window
    weights /= weights.sum(axis=1, keepdims=True)
    return weights
