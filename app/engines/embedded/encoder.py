"""What hears a voice: the interface that its two networks fulfil."""

from collections.abc import Sequence
from typing import ClassVar, Protocol

from app.engines.diarization import Watch
from app.engines.embedded.features import Features
from app.engines.embedded.mel import Floats, Spectrogram
from app.engines.embedded.windows import Windows


class VoiceEncoder(Protocol):
    """A network that turns stretches of sound into voices: vectors close to each other when one person speaks.

    `limit` is the mean cosine of two groups of its voices above which they are one speaker.
    """

    limit: ClassVar[float]

    def spectrogram(self) -> Spectrogram:
        """A new one, for the sound that this network wants to hear."""

    def voices(self, features: Features, sets: Sequence[Windows], watch: Watch) -> list[Floats]:
        """For each set of windows the voices in them, unit vectors, shape (n, d), n ≥ 1.

        Raises:
            Cancelled: `watch` asked for it.
        """
