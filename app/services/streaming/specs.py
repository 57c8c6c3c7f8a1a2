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
    """What was stored; what an older version did not know takes its default."""
    known = {name: row.options[name] for name in StreamSpec.__dataclass_fields__ if name in row.options}
    phrases = tuple(known.get("phrases", ()))
    return StreamSpec(**{**known, "phrases": phrases, "encoding": row.encoding, "rate_hz": row.rate_hz})
