"""What a diarization finds."""

from dataclasses import dataclass

from app.domain.speaker_turn import SpeakerTurn


@dataclass(frozen=True, slots=True)
class Diarization:
    """Who spoke when in a recording of `duration_s` seconds, and what found it out."""

    turns: tuple[SpeakerTurn, ...]
    duration_s: float
    engine: str
    model: str
    warnings: tuple[str, ...] = ()


def channel_label(channel: int) -> str:
    """The speaker of a channel that is a speaker's own; 0 is the left one."""
    return f"SPEAKER_{channel:02}"
