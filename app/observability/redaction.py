"""Keeps secrets out of the logs: by the name they go under, and by the shape they have inside text."""

import re
from collections.abc import Mapping
from typing import Any

from structlog.typing import EventDict

HIDDEN = "[hidden]"
SECRET_NAME = re.compile(
    r"authorization|api[_-]?key|token(?!s)|password|passwd|secret|cookie|credential", re.IGNORECASE
)
URL_PASSWORD = re.compile(r"(?P<before>\w+://[^\s/:@]*:)[^\s@/]+(?=@)")
AUTHORIZATION = re.compile(r"\b(?P<before>(?:Bearer|Basic|Token)\s+)[\w.~+/=-]{8,}", re.IGNORECASE)


def redact(_logger: object, _method: str, event: EventDict) -> EventDict:
    """A structlog processor: the same event with its secrets hidden."""
    return {key: _clean(key, value) for key, value in event.items()}


def _clean(name: str, value: Any) -> Any:
    if value is not None and SECRET_NAME.search(name):
        return HIDDEN
    if isinstance(value, str):
        return _clean_text(value)
    if isinstance(value, Mapping):
        return {key: _clean(str(key), part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_clean("", part) for part in value]
    return value


def _clean_text(text: str) -> str:
    text = URL_PASSWORD.sub(rf"\g<before>{HIDDEN}", text)
    return AUTHORIZATION.sub(rf"\g<before>{HIDDEN}", text)
