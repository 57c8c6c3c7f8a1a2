"""SubRip (.srt): numbered blocks, a comma before the milliseconds, a blank line after each.

No standard exists; this is what the SubRip program wrote and players accept (Library of Congress, FDD 000569).
The format has no escapes: an arrow in the text is written as one character, lest it be read as a time line.
"""

from app.domain.transcript import Transcript
from app.exports.cues import Cue, cues
from app.exports.timecode import clock


def render(transcript: Transcript, title: str) -> str:  # noqa: ARG001 - SubRip has no place for a title
    """The transcript as SubRip subtitles, lines ending in LF."""
    return "".join(_block(number, cue) for number, cue in enumerate(cues(transcript, name_speakers=True), start=1))


def _block(number: int, cue: Cue) -> str:
    times = f"{clock(cue.start_ms, ',')} --> {clock(cue.end_ms, ',')}"
    text = "\n".join(cue.lines).replace("-->", "→")
    return f"{number}\n{times}\n{text}\n\n"
