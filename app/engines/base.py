"""What an engine is: the interfaces that adapters fulfil, and the values they speak in.

Sound is float32, mono, 16 kHz, within −1…1, shape (n,). Times are seconds from the start of the sound given.
An adapter module imports its ML packages inside `load`, never at import time, so that its capabilities can be
read by a process that must stay light.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Protocol

from app.audio.sound import Pcm, Span, SpanPolicy
from app.domain.transcript import Segment


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an engine can do. `languages` empty means: told by the model (see `Transcriber.languages`)."""

    words: bool = True
    confidences: bool = True
    detects_language: bool = False
    translates: bool = False
    prompt: bool = False
    hotwords: bool = False
    streams: bool = False
    devices: tuple[str, ...] = ("cpu",)
    spans: SpanPolicy = field(default_factory=SpanPolicy)


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """One set of weights that an engine can load. `languages` are primary subtags (`fr`); empty: any.

    `translates` False: these weights cannot, though the engine can with others.
    """

    name: str
    languages: tuple[str, ...] = ()
    path: Path | None = None
    translates: bool = True

    @property
    def is_here(self) -> bool:
        """Whether the weights are on this machine."""
        return self.path is not None


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """What one call is asked to do. `language` None: detect it, if the engine can."""

    language: str | None = None
    task: str = "transcribe"
    prompt: str | None = None
    hotwords: tuple[str, ...] = ()
    word_timestamps: bool = True


@dataclass(frozen=True, slots=True)
class Hardware:
    """What an engine may use: `device` is `cpu` or `cuda`, `compute_type` a CTranslate2 type name."""

    device: str = "cpu"
    compute_type: str = "int8"
    n_threads: int = 1


class Transcriber(Protocol):
    """Loaded weights, ready to work; lives in a worker's child process, one job at a time."""

    language: str | None
    """The language of the weights if they know only one, else None."""

    def detect_language(self, pcm: Pcm) -> str | None:
        """The language spoken (primary subtag), or None if the engine cannot tell."""

    def transcribe(self, pcm: Pcm, spans: Sequence[Span], options: EngineOptions) -> Iterator[Segment]:
        """Yield what is said within `spans`, in order of time, as soon as each segment is known.

        Segments (and words, if asked for) carry times from the start of `pcm`; ids are of no meaning yet.

        Raises:
            EngineError: the engine failed on this sound.
        """


class TranscriptionEngine(Protocol):
    """A kind of engine: what it can do, which weights it could load, and how to load them."""

    name: ClassVar[str]
    capabilities: ClassVar[Capabilities]

    def models(self) -> Sequence[ModelInfo]:
        """Every model it knows by name, best first; `path` tells which are here. Cheap; imports no ML."""

    def load(self, model: ModelInfo, hardware: Hardware) -> Transcriber:
        """Load weights that are here. Slow; imports ML packages.

        Raises:
            EngineUnavailable: the weights cannot be loaded.
        """
