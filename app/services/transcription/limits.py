"""How much a transcription may take at once."""

from dataclasses import dataclass, field

from app.audio.decode import DecodeLimits


@dataclass(frozen=True, slots=True)
class PipelineLimits:
    """Lengths in seconds, memory in parts: two of `max_part_s` are held at once, 64 kB a second each."""

    part_s: float = 300.0
    """About how long a part is: what a crash may cost to do again."""
    first_part_s: float = 30.0
    """The first part is shorter, so that the engine need not wait for the reader, nor people for a first line."""
    n_warm_models: int = 1
    """Models kept loaded between runs."""
    decode: DecodeLimits = field(default_factory=DecodeLimits)
