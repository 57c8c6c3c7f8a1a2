"""What listens live: the values a stream is told in, and the interfaces that adapters fulfil.

Sound is float32, mono, 16 kHz, within −1…1, shape (n,), in pieces of any length. A position is a count of samples
since the recogniser was made. A recogniser is as new at every cursor it tells, and what it says does not depend on
how the sound was cut into pieces: one that is made anew and given the sound from a cursor on says, word for word,
what the first would have said.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from app.audio.sound import Pcm
from app.domain.transcript import Segment
from app.engines.base import Hardware, ModelInfo, TranscriptionEngine


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """What one stream is asked for. `language` None: that of the weights, or detected for each utterance.

    `endpoint_ms` is the silence that ends an utterance. `phrases`, if any, are all that may be heard, and
    `max_alternatives` how many readings of an utterance are wanted, where an engine can (0: only the best).
    """

    language: str | None = None
    hotwords: tuple[str, ...] = ()
    endpoint_ms: int = 700
    interim_results: bool = True
    max_alternatives: int = 0
    phrases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What seems to have been said since the cursor; another one may replace it."""

    text: str
    start_sample: int
    end_sample: int


@dataclass(frozen=True, slots=True)
class Utterance:
    """Something said, for good; its times are seconds from the start of the recogniser.

    Input before `cursor` is not needed again. `speech_final` False: the speaker went on, and only the length was
    too much. `alternatives` are its readings with their scores, the best first, if they were asked for.
    """

    segment: Segment
    cursor: int
    speech_final: bool
    alternatives: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing was said before `cursor` that an utterance has not told; input before it is not needed again."""

    cursor: int


Heard = Hypothesis | Utterance | Silence


class StreamingRecognizer(Protocol):
    """Follows one stream; not for use by two threads at once."""

    def accept(self, pcm: Pcm, *, is_behind: bool = False) -> Sequence[Heard]:
        """Take the next sound; tell what it brought, in order of time.

        Args:
            pcm: the sound.
            is_behind: more of it waits already, so that a hypothesis would be old when it is told: none is wanted.

        Raises:
            EngineError: the engine failed on this sound.
        """

    def finish(self) -> Sequence[Heard]:
        """Tell what is pending as final, whole input consumed; the stream may go on afterwards.

        Raises:
            EngineError: the engine failed on this sound.
        """

    def close(self) -> None:
        """Let go of what this stream holds; nothing may be asked of it afterwards."""


class StreamingModel(Protocol):
    """Loaded weights, shared by the streams of one process."""

    language: str | None
    """The language of the weights if they know only one, else None."""

    def open(self, options: StreamOptions) -> StreamingRecognizer:
        """A recogniser for a new stream, at position 0.

        Raises:
            EngineError: it cannot be made.
        """


class StreamingEngine(TranscriptionEngine, Protocol):
    """An engine whose capabilities say `streams`: it needs no windows to listen live."""

    def load_streaming(self, model: ModelInfo, hardware: Hardware) -> StreamingModel:
        """Load weights that are here. Slow; imports ML packages.

        Raises:
            EngineUnavailable: the weights cannot be loaded.
        """
