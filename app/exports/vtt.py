"""WebVTT (.vtt), as the W3C Candidate Recommendation of 4 April 2019 has it (sections 4.1, 4.2.1 and 4.2.2)."""

from app.domain.transcript import Transcript
from app.exports.cues import Cue, cues
from app.exports.timecode import clock

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def render(transcript: Transcript, title: str) -> str:  # noqa: ARG001 - players ignore text in the header
    """The transcript as WebVTT; a known speaker is a voice span over the whole cue."""
    return "WEBVTT\n\n" + "".join(_block(cue) for cue in cues(transcript))


def _block(cue: Cue) -> str:
    voice = f"<v {cue.speaker.translate(_ESCAPES)}>" if cue.speaker else ""
    text = "\n".join(line.translate(_ESCAPES) for line in cue.lines)
    return f"{clock(cue.start_ms)} --> {clock(cue.end_ms)}\n{voice}{text}\n\n"
