"""A live session as the services speak of it. Bytes are counted from the start of the client's stream."""

from dataclasses import dataclass

from app.domain.job import JobView
from app.domain.transcript import Segment
from app.helpers.quick_pickle import QuickPickle

BYTES_PER_UNIT = {"pcm_s16le": 2, "pcm_f32le": 4, "mulaw": 1, "opus": 1}
"""What a client counts in, by encoding: samples at its own rate, or bytes where samples cannot be told (`opus`)."""

ENCODINGS = tuple(BYTES_PER_UNIT)


@dataclass(frozen=True, slots=True)
class StreamSpec:
    """How the sound comes and what is wanted beside the words. `phrases`, if any, are all that may be heard.

    `lockstep`: the client waits for an answer to everything it sends, so it is told at once how far its sound was read.
    """

    encoding: str = "pcm_s16le"
    rate_hz: int = 16_000
    interim_results: bool = True
    endpoint_ms: int = 700
    max_alternatives: int = 0
    phrases: tuple[str, ...] = ()
    keep_audio: bool = False
    refine: bool = False
    lockstep: bool = False

    @property
    def bytes_per_unit(self) -> int:
        """Bytes of one of the units that `received` and `committed` are told in."""
        return BYTES_PER_UNIT[self.encoding]

    @property
    def bytes_per_s(self) -> int:
        """Bytes of a second of sound; where that varies (`opus`), as many as a browser sends at most."""
        return 16_000 if self.encoding == "opus" else self.bytes_per_unit * self.rate_hz

    def units(self, n_bytes: int) -> int:
        """Whole units in so many bytes."""
        return n_bytes // self.bytes_per_unit

    @property
    def keeps_sound(self) -> bool:
        """Whether the sound is needed after the session."""
        return self.keep_audio or self.refine


@dataclass(frozen=True, slots=True)
class Mark(QuickPickle):
    """How far a session is: before `cursor` (16 kHz samples) all is said in `n_finals` finals, or was silence.

    A decoder that starts at `byte`, with `header` put before, gives the sound from `sample` on (not after the cursor).
    """

    byte: int = 0
    sample: int = 0
    header: bytes = b""
    cursor: int = 0
    n_finals: int = 0


@dataclass(frozen=True, slots=True)
class Final(QuickPickle):
    """Something said, for good. `alternatives` are other ways to hear it, best first, with confidences."""

    seq: int
    segment: Segment
    speech_final: bool = True
    alternatives: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Step(QuickPickle):
    """A session's next stretch: up to `mark` it is over with, and `final` is what was said in it, if anything was.

    `pcm` is its sound, if that is to be kept (16 kHz, signed 16-bit little-endian), from sample `start` on.
    """

    mark: Mark
    final: Final | None = None
    start: int = 0
    pcm: bytes = b""


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A session as its client may know it.

    `resume_token` is told once, to whoever attaches first. `committed_byte` is where a client that lost everything
    else would go on from; `received` and `committed` are told to it in its own units (`spec.units`).
    """

    job: JobView
    spec: StreamSpec
    committed_byte: int = 0
    n_finals: int = 0
    resume_token: str | None = None

    @property
    def has_ended(self) -> bool:
        """Whether no more sound is taken: only what was said can still be told."""
        return self.job.state.is_final

    @property
    def committed(self) -> int:
        """What the client need not keep any longer, in its own units."""
        return self.spec.units(self.committed_byte)
