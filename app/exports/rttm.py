"""RTTM (.rttm): who spoke when.

`SPEAKER file channel start duration ortho stype name conf slat`, after NIST,
"The 2009 (RT-09) Rich Transcription Meeting Recognition Evaluation Plan", appendix A.
"""

from collections.abc import Iterable

from app.domain.speaker_turn import SpeakerTurn
from app.domain.transcript import Transcript
from app.exports.fields import UNKNOWN, field, span_fields


def render(transcript: Transcript, title: str) -> str:
    """A line for each turn, overlaps too; where turns are not known, for each segment whose speaker is."""
    turns = transcript.turns or _of_segments(transcript)
    return "".join(_line(transcript, turn, field(title)) for turn in turns if _lasts(turn))


def _of_segments(transcript: Transcript) -> Iterable[SpeakerTurn]:
    return [SpeakerTurn(one.start_s, one.end_s, one.speaker) for one in transcript.segments if one.speaker]


def _lasts(turn: SpeakerTurn) -> bool:
    return float(span_fields(turn.start_s, turn.end_s)[1]) > 0


def _line(transcript: Transcript, turn: SpeakerTurn, file_id: str) -> str:
    start, duration = span_fields(turn.start_s, turn.end_s)
    name = field(transcript.speaker_name(turn.speaker))
    return f"SPEAKER {file_id} 1 {start} {duration} {UNKNOWN} {UNKNOWN} {name} {UNKNOWN} {UNKNOWN}\n"
