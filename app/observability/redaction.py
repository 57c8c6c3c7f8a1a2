"""Keeps secrets out of the logs: by the name they go under, and by the shape they have inside text."""

import re
from collections.abc import Mapping
from typing import Any

from structlog.typing import EventDict

HIDDEN = "[hidden]"
SECRET_NAME = re.compile(
    r"authorization|api[_-]?key|token(?!s)|password|passwd|secret|cookie|credential", re.IGNORECASE
)
URL_PASSWORD = re.compile(r"\b(?P<before>\w+://[^\s/:@]*:)[^\s@/]+(?=@)")
URL_QUERY = re.compile(r"(?P<before>\bhttps?://[^\s?#'\"<>]{1,2048}\?)[^\s'\"<>]+", re.IGNORECASE)
"""Signed URLs carry their secret in the query, under whatever name."""

NAMED = re.compile(
    r"(?P<before>(?:authorization|api[_-]?key|token(?!s|iz)|password|passwd|secret|cookie|credential)[\w-]{0,40}[\"']?"
    r"\s*(?:=|:(?:\s*\w+\s*=)?)\s*)(?!(?:Bearer|Basic|Token)\s)(?:\"[^\"\n]+\"|'[^'\n]+'|[^\s,;&\"'()\[\]{}]+)",
    re.IGNORECASE,
)
"""`name=value`, `"name": "value"` and the like, in code, in headers and in queries."""

COOKIES = re.compile(r"(?P<before>\bcookie:\s*)[^\n]+", re.IGNORECASE)
KEY_SHAPES = re.compile(r"\b(?:sk-[\w-]{16,}|whsec_[\w+/=-]{8,}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*)")
"""Keys that are known by their looks: of language-model services, of webhooks, JSON web tokens."""

AUTHORIZATION = re.compile(r"\b(?P<before>(?:Bearer|Basic|Token)\s+)[\w.~+/=-]{8,}", re.IGNORECASE)


def redact(_logger: object, _method: str, event: EventDict) -> EventDict:
    """A structlog processor: the same event with its secrets hidden."""
    return {key: _clean(key, value) for key, value in event.items()}


def _clean(name: str, value: Any) -> Any:
    if value is not None and SECRET_NAME.search(name):
        return HIDDEN
    if isinstance(value, str):
        return redacted(value)
    if isinstance(value, Mapping):
        return {key: _clean(str(key), part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_clean("", part) for part in value]
    return value


def redacted(text: str) -> str:
    """The same text (a log line, a traceback, a message) with its secrets hidden."""
    for shape in (URL_PASSWORD, URL_QUERY, COOKIES, AUTHORIZATION, NAMED):
        text = shape.sub(rf"\g<before>{HIDDEN}", text)
    return KEY_SHAPES.sub(HIDDEN, text)
