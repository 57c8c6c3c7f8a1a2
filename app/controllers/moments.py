"""Moments as they are told: in UTC, whatever PostgreSQL's own time zone is."""

from datetime import UTC, datetime
from typing import Any


def in_utc(values: dict[str, Any]) -> dict[str, Any]:
    """The same values, their moments in UTC."""
    return {name: value.astimezone(UTC) if isinstance(value, datetime) else value for name, value in values.items()}
