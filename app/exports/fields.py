"""Fields of the line formats of NIST (CTM, RTTM): parted by spaces, so none may hold one or be empty."""

from app.exports.plain import plain
from app.exports.timecode import milliseconds

UNKNOWN = "<NA>"


def field(text: str | None) -> str:
    """The text as one field."""
    return "_".join(plain(text or "").split()) or UNKNOWN


def span_fields(start_s: float, end_s: float) -> tuple[str, str]:
    """Start and duration in seconds, of times rounded first, so that start plus duration is the rounded end."""
    start_ms, end_ms = milliseconds(start_s), milliseconds(end_s)
    return f"{start_ms / 1000:.3f}", f"{max(0, end_ms - start_ms) / 1000:.3f}"
