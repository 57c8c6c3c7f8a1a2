"""Plain text: a line a segment, or, where speakers are known, a paragraph a turn."""

from app.domain.transcript import Transcript
from app.exports.turns import Turn, turns


def render(transcript: Transcript, title: str) -> str:  # noqa: ARG001 - the text alone
    """The transcript's text; empty if nothing was said."""
    found = turns(transcript)
    gap = "\n\n" if any(turn.speaker for turn in found) else "\n"
    return gap.join(_paragraph(turn) for turn in found) + ("\n" if found else "")


def _paragraph(turn: Turn) -> str:
    return f"{turn.speaker}: {turn.text}" if turn.speaker else turn.text
