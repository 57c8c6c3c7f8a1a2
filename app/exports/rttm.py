"""RTTM (.rttm): who spoke when.

`SPEAKER file channel start duration ortho stype name conf slat`, after NIST,
"The 2009 (RT-09) Rich Transcription Meeting Recognition Evaluation Plan", appendix A.
"""

from app.domain.transcript import Segment, Transcript
from app.exports.fields import UNKNOWN, field, span_fields


def render(transcript: Transcript, title: str) -> str:
    """A line for each segment whose speaker is known."""
    return "".join(_line(transcript, segment, field(title)) for segment in transcript.segments if _tells(segment))


def _tells(segment: Segment) -> bool:
    return bool(segment.speaker) and float(span_fields(segment.start_s, segment.end_s)[1]) > 0


def _line(transcript: Transcript, segment: Segment, file_id: str) -> str:
    start, duration = span_fields(segment.start_s, segment.end_s)
    name = field(transcript.speaker_name(segment.speaker))
    return f"SPEAKER {file_id} 1 {start} {duration} {UNKNOWN} {UNKNOWN} {name} {UNKNOWN} {UNKNOWN}\n"
