"""The shape of sound inside the service, and the small values that cut it.

Sound is float32, mono, 16 kHz, within −1…1, shape (n,). The API imports this, and the capabilities of engines, but
never sees sound: numpy is for type checkers here, and for the functions that calculate, elsewhere.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Pcm = npt.NDArray[np.float32]
else:
    Pcm = Any

RATE_HZ = 16_000


@dataclass(frozen=True, slots=True)
class Span:
    """Samples `start` (inclusive) to `end` (exclusive) of some sound."""

    start: int
    end: int

    @property
    def n_samples(self) -> int:
        """Its length in samples."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class SpanPolicy:
    """How an engine likes its speech cut: pauses up to `join_gap_s` stay inside a span of at most `max_s`."""

    max_s: float = 28.0
    join_gap_s: float = 1.0
    pad_s: float = 0.3
    min_silence_s: float = 0.5


class VoiceActivity(Protocol):
    """Tells speech from the rest, in a stream."""

    hop: int
    """Samples a probability stands for."""

    def probabilities(self, pcm: Pcm) -> "npt.NDArray[np.float32]":
        """Speech probabilities for each whole hop of the stream so far not told, shape (m,); keeps the rest."""

    def reset(self) -> None:
        """Forget the stream."""
