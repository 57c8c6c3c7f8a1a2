"""What tells speakers apart: the interfaces that diarization engines fulfil.

As with engines that transcribe, an adapter imports its ML packages inside `load`, never at import time.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from app.audio.sound import RATE_HZ, Pcm
from app.domain.errors import Cancelled
from app.domain.speaker_hints import SpeakerHints
from app.domain.speaker_turn import SpeakerTurn
from app.engines.base import Hardware, ModelInfo


@dataclass(frozen=True, slots=True)
class DiarizationCapabilities:
    """What an engine can do. `overlaps`: it may say that several speak at once."""

    overlaps: bool = True
    devices: tuple[str, ...] = ("cpu",)


@dataclass(frozen=True, slots=True)
class SoundStream:
    """A recording in blocks of any length, in order, gone through once.

    Blocks are float32, mono, 16 kHz, shape (n,); an engine keeps no more of them than it needs. `duration_s` is how
    long the header says it is, or None: good for progress, not to be trusted.
    """

    blocks: Iterable[Pcm]
    duration_s: float | None = None

    @classmethod
    def of(cls, pcm: Pcm) -> "SoundStream":
        """Sound that is in memory already."""
        return cls([pcm], len(pcm) / RATE_HZ)


@dataclass(frozen=True, slots=True)
class Watch:
    """Who looks on. `progress` is told 0…1, never falling; `cancelled` is asked at least once in a few seconds."""

    progress: Callable[[float], None] = lambda _: None
    cancelled: Callable[[], bool] = lambda: False

    def part(self, first: float, last: float) -> "Watch":
        """For one step of the work, whose own 0…1 is `first`…`last` of the whole."""
        return Watch(lambda share: self.progress(first + (last - first) * share), self.cancelled)

    def check(self) -> None:
        """Go on only if that is wanted.

        Raises:
            Cancelled: it is not.
        """
        if self.cancelled():
            raise Cancelled


class Diarizer(Protocol):
    """Loaded weights, ready to work; lives in a worker's child process, one recording at a time."""

    def diarize(self, sound: SoundStream, hints: SpeakerHints, watch: Watch) -> Sequence[SpeakerTurn]:
        """Who speaks when, in order of time; labels `SPEAKER_00`… in the order of first appearance.

        Turns of one speaker do not touch; those of different ones may overlap. No speech gives no turns. Hints that
        the sound contradicts (more speakers than there is sound for) are followed as far as they can be.

        Raises:
            Cancelled: `watch` asked for it.
            EngineError: the engine failed on this sound.
        """


class DiarizationEngine(Protocol):
    """A kind of engine: what it can do, which weights it could load, and how to load them."""

    name: ClassVar[str]
    capabilities: ClassVar[DiarizationCapabilities]

    def models(self) -> Sequence[ModelInfo]:
        """Every model it knows by name, best first; `path` tells which are here. Cheap; imports no ML."""

    def advice(self) -> str:
        """A sentence on what to do when none of its weights are here; empty if there is nothing to be done."""

    def load(self, model: ModelInfo, hardware: Hardware) -> Diarizer:
        """Load weights that are here. Slow; imports ML packages.

        Raises:
            EngineUnavailable: the weights cannot be loaded.
        """
