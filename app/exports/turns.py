"""A transcript as turns: what one speaker says before another one does."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from app.domain.transcript import Transcript
from app.exports.plain import plain


@dataclass(frozen=True, slots=True)
class Turn:
    """A stretch of one speaker's text; without speakers, each segment is a turn."""

    start_s: float
    end_s: float
    text: str
    speaker: str | None


def turns(transcript: Transcript) -> list[Turn]:
    """The transcript's turns in order; those without text are left out."""
    found: list[Turn] = []
    for turn in _segment_turns(transcript):
        if found and turn.speaker and found[-1].speaker == turn.speaker:
            found[-1] = _merged(found[-1], turn)
        else:
            found.append(turn)
    return found


def _segment_turns(transcript: Transcript) -> Iterable[Turn]:
    for segment in transcript.segments:
        name = plain(transcript.speaker_name(segment.speaker) or "") or None
        if text := plain(segment.text):
            yield Turn(segment.start_s, segment.end_s, text, name)


def _merged(first: Turn, second: Turn) -> Turn:
    return replace(first, end_s=max(first.end_s, second.end_s), text=f"{first.text} {second.text}")
