"""The formats a transcript can be had in."""

from collections.abc import Callable
from dataclasses import dataclass

from app.domain.errors import InvalidFields
from app.domain.transcript import Transcript
from app.exports import ctm, markdown, rttm, srt, txt, vtt, wire


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """A format: how it is asked for, served and written. `render` takes the transcript and its title."""

    name: str
    content_type: str
    extension: str
    render: Callable[[Transcript, str], str]


FORMATS: dict[str, ExportFormat] = {
    entry.name: entry
    for entry in (
        ExportFormat("txt", "text/plain; charset=utf-8", ".txt", txt.render),
        ExportFormat("json", "application/json", ".json", wire.render),
        ExportFormat("srt", "application/x-subrip; charset=utf-8", ".srt", srt.render),
        ExportFormat("vtt", "text/vtt; charset=utf-8", ".vtt", vtt.render),
        ExportFormat("rttm", "text/plain; charset=utf-8", ".rttm", rttm.render),
        ExportFormat("ctm", "text/plain; charset=utf-8", ".ctm", ctm.render),
        ExportFormat("md", "text/markdown; charset=utf-8", ".md", markdown.render),
    )
}


def get_format(name: str) -> ExportFormat:
    """The format of this name.

    Raises:
        InvalidFields: there is none.
    """
    if name not in FORMATS:
        raise InvalidFields({"format": [f"Unknown format {name!r}; one of {', '.join(FORMATS)}."]})
    return FORMATS[name]


def render(transcript: Transcript, format_name: str, title: str = "recording") -> str:
    """The transcript in a format; `title` is what the file calls the recording, if the format has room for it.

    Raises:
        InvalidFields: there is no such format.
    """
    return get_format(format_name).render(transcript, title)
