"""The envelope of the native family."""

from collections.abc import Mapping, Sequence
from typing import Any


def enveloped(data: Any) -> dict[str, Any]:
    """A good answer."""
    return {"status": "success", "data": data}


def error_envelope(code: str, message: str, errors: Mapping[str, Sequence[str]] | None = None) -> dict[str, Any]:
    """A bad answer; `errors` are the messages of each field."""
    envelope: dict[str, Any] = {"status": "error", "message": message, "code": code}
    return {**envelope, "errors": dict(errors)} if errors else envelope
