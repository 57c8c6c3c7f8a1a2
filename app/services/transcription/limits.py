"""How much a transcription may take at once."""

from dataclasses import dataclass, field

from app.audio.decode import DecodeLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineLimits:
    """Lengths in seconds. Two parts are in memory at once, 64 kB a second."""

    part_s: float = 300.0
    """About how long a part is: what a crash may cost to do again."""
    first_part_s: float = 30.0
    """The first is shorter, so that neither the engine nor who waits for a first line waits for the reader."""
    n_warm_models: int = 1
    """Models that stay loaded between runs."""
    decode: DecodeLimits = field(default_factory=DecodeLimits)
