"""A stretch of time in which one voice speaks."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SpeakerTurn:
    """Times are seconds from the start of the recording; turns of different speakers may overlap."""

    start_s: float
    end_s: float
    speaker: str
