"""What listens live: the values that recognisers speak in, and the interfaces that adapters fulfil.

Positions are samples (16 kHz) since the recogniser was made.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from app.audio.sound import Pcm
from app.domain.transcript import Segment


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """What one stream is asked for. `endpoint_ms` is the silence that ends an utterance."""

    language: str | None = None
    hotwords: tuple[str, ...] = ()
    endpoint_ms: int = 700
    interim_results: bool = True
    max_alternatives: int = 0


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What is perhaps being said; may be replaced."""

    text: str
    start_sample: int
    end_sample: int


@dataclass(frozen=True, slots=True)
class Utterance:
    """What was said, for good. What is before `cursor` is not needed again; times in s from the recogniser's start."""

    segment: Segment
    cursor: int
    speech_final: bool
    alternatives: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Silence:
    """Before `cursor` nothing was said that is not in an utterance already."""

    cursor: int


Heard = Hypothesis | Utterance | Silence


class StreamingRecognizer(Protocol):
    """Listens to one stream. At each final it is as new."""

    def accept(self, pcm: Pcm) -> Sequence[Heard]:
        """Listen to the next sound: float32, mono, 16 kHz, shape (n,)."""

    def finish(self) -> Sequence[Heard]:
        """Say for good what is pending; afterwards usable again."""

    def close(self) -> None:
        """Give back what it holds."""


class StreamingModel(Protocol):
    """Loaded weights, shared by the sessions of one process."""

    language: str | None

    def open(self, options: StreamOptions) -> StreamingRecognizer:
        """A new recogniser."""
