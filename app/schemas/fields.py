"""Kinds of values that forms and bodies hold."""

import json
from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError
from marshmallow.fields import Field, Nested, String

from app.domain.errors import UrlRefused
from app.outbound.urls import MAX_LENGTH as MAX_URL_LENGTH
from app.outbound.urls import checked_url

MAX_METADATA_BYTES = 4096
MAX_HOTWORDS, MAX_HOTWORD_LENGTH = 500, 100
MAX_LIST_LENGTH = 64 * 1024


def printable(text: str) -> None:
    """Refuse control characters other than white space; PostgreSQL takes no NUL, and nobody means the others.

    Raises:
        ValidationError: there are some.
    """
    if any(ord(char) < ord(" ") and char not in "\t\n\r" for char in text) or _has_surrogates(text):
        raise ValidationError("Must not hold control characters.")


class Text(String):
    """Text without control characters, of at most `max_length` characters; white space around it does not count."""

    def __init__(self, *, max_length: int = 255, metadata: Mapping[str, Any] | None = None, **options: Any) -> None:
        super().__init__(metadata={"maxLength": max_length, **(metadata or {})}, **options)
        self.max_length = max_length

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> str:
        text = str(super()._deserialize(value, attr, data, **options)).strip()
        printable(text)
        if len(text) > self.max_length:
            raise ValidationError(f"Longer than maximum length {self.max_length}.")
        return text


class Url(Text):
    """An http(s) address that could be gone to; whether it may be is found out when it is."""

    def __init__(self, *, metadata: Mapping[str, Any], **options: Any) -> None:
        super().__init__(max_length=MAX_URL_LENGTH, metadata={"format": "uri", **metadata}, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> str:
        text = super()._deserialize(value, attr, data, **options)
        try:
            checked_url(text)
        except UrlRefused as refusal:
            raise ValidationError(str(refusal.params["reason"])) from refusal
        return text


class JsonObject(Field[dict[str, Any]]):
    """A JSON object of at most 4 KiB; as text in a form, as it is in a JSON body."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> dict[str, Any]:
        text = value if isinstance(value, str) else _to_json(value)
        if len(text.encode("utf-8", "surrogatepass")) > MAX_METADATA_BYTES:
            raise ValidationError(f"Longer than {MAX_METADATA_BYTES} bytes.")
        parsed = _from_json(text)
        if not isinstance(parsed, dict):
            raise ValidationError("Must be a JSON object.")
        _require_storable(parsed)
        return parsed


class WordList(Field[tuple[str, ...]]):
    """Words or phrases: a JSON list, a list with commas, or the field several times."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> tuple[str, ...]:
        given = value if isinstance(value, list) else [value]
        words = [word.strip() for one in given for word in _words(one)]
        found = tuple(dict.fromkeys(word for word in words if word))
        if len(found) > MAX_HOTWORDS:
            raise ValidationError(f"More than {MAX_HOTWORDS} words.")
        for word in found:
            printable(word)
            if len(word) > MAX_HOTWORD_LENGTH:
                raise ValidationError(f"A word is longer than {MAX_HOTWORD_LENGTH} characters.")
        return found


class AsStored(Nested):
    """A nested value that is in its wire shape already: told in the docs, dumped as it is.

    Transcripts of hours hold a hundred thousand words; walking through them again would hold up everybody else.
    """

    def _serialize(self, nested_obj: Any, attr: Any, obj: Any, **_: Any) -> Any:  # type: ignore[override] # noqa: ARG002
        return nested_obj


class NotHere(Field[None]):
    """A field of a sister mode: known, but refused here, saying where it belongs."""

    def __init__(self, belongs_to: str, **options: Any) -> None:
        super().__init__(**options)
        self.belongs_to = belongs_to

    def _deserialize(self, *_: Any, **__: Any) -> None:
        raise ValidationError(f"Only for {self.belongs_to}; not for this kind of job.")


def _words(one: Any) -> list[str]:
    if not isinstance(one, str) or len(one) > MAX_LIST_LENGTH:
        raise ValidationError("Must be a list of words.")
    if not one.lstrip().startswith("["):
        return one.split(",")
    parsed = _from_json(one)
    if not (isinstance(parsed, list) and all(isinstance(word, str) for word in parsed)):
        raise ValidationError("Must be a list of words.")
    return parsed


def _from_json(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise ValidationError("Is not valid JSON.") from error


def _to_json(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except (ValueError, RecursionError) as error:
        raise ValidationError("Is not valid JSON.") from error


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _require_storable(value: dict[str, Any]) -> None:
    """PostgreSQL's JSON takes no NUL, no half of a surrogate pair, no infinite number."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError as error:
        raise ValidationError("Holds a number that is too large.") from error
    if _has_surrogates(text) or "\\u0000" in text:
        raise ValidationError("Must not hold control characters.")


def _has_surrogates(text: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in text)
