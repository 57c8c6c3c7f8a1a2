"""How a session's sound comes and what is wanted of it, stored and read again."""

from dataclasses import asdict
from typing import Any

from app.domain.live import StreamSpec
from app.models import StreamSession

COLUMNS = ("encoding", "rate_hz")


def spec_options(spec: StreamSpec) -> dict[str, Any]:
    """The stored form of all that has no column of its own."""
    return {name: value for name, value in asdict(spec).items() if name not in COLUMNS}


def spec_from_row(row: StreamSession) -> StreamSpec:
    """What was stored."""
    return stored_spec(row.encoding, row.rate_hz, row.options)


def stored_spec(encoding: str, rate_hz: int, options: dict[str, Any]) -> StreamSpec:
    """The same from the values of a row; what an older version did not know takes its default."""
    known = {name: options[name] for name in StreamSpec.__dataclass_fields__ if name in options}
    phrases = tuple(known.get("phrases", ()))
    return StreamSpec(**{**known, "phrases": phrases, "encoding": encoding, "rate_hz": rate_hz})
