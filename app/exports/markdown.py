"""Markdown (CommonMark, with a table as GitHub reads it): a title, facts, and who said what when."""

import re

from app.domain.transcript import Transcript
from app.exports.plain import plain
from app.exports.timecode import milliseconds, short_clock
from app.exports.turns import Turn, turns

_ACTIVE = re.compile(r"([\\`*_{}\[\]<>#|~&])")


def render(transcript: Transcript, title: str) -> str:
    """The transcript as a page to read; what is said is escaped, so that none of it acts as markup."""
    blocks = [f"# {_escaped(title)}", _table(transcript), *(_paragraph(turn) for turn in turns(transcript))]
    return "\n\n".join(blocks) + "\n"


def _table(transcript: Transcript) -> str:
    rows = [f"| {name} | {_escaped(value)} |" for name, value in _facts(transcript) if value]
    return "\n".join(["| | |", "|---|---|", *rows])


def _facts(transcript: Transcript) -> list[tuple[str, str]]:
    speakers = (speaker.name or speaker.label for speaker in transcript.speakers)
    return [
        ("Duration", _clock(transcript.duration_s)),
        ("Language", transcript.language or ""),
        ("Engine", " ".join(filter(None, (transcript.engine, transcript.model)))),
        ("Speakers", ", ".join(speakers)),
        ("Warnings", ", ".join(transcript.warnings)),
    ]


def _paragraph(turn: Turn) -> str:
    who = f" {_escaped(turn.speaker)}" if turn.speaker else ""
    return f"**[{_clock(turn.start_s)} – {_clock(turn.end_s)}]{who}** {_escaped(turn.text)}"


def _clock(time_s: float) -> str:
    return short_clock(milliseconds(time_s) // 1000)


def _escaped(text: str) -> str:
    return _ACTIVE.sub(r"\\\1", plain(text))
