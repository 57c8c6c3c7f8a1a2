"""Loading what clients sent, through a schema."""

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError
from marshmallow.fields import Field
from werkzeug.datastructures import MultiDict

from app.domain.errors import InvalidFields
from app.schemas.fields import WordList

WHOLE = "_schema"


def load(schema: Schema, data: Any) -> Any:
    """What the schema makes of a body.

    Raises:
        InvalidFields: values are wrong; names each field.
    """
    try:
        return schema.load(data)
    except ValidationError as error:
        raise InvalidFields(flattened(error.messages)) from error


def load_form(schema: Schema, form: "MultiDict[str, str]") -> Any:
    """What the schema makes of a form or a query string.

    Raises:
        InvalidFields: values are wrong, or given more than once; names each field.
    """
    repeated = [name for name, values in form.lists() if len(values) > 1 and not _takes_many(schema, name)]
    errors = {name: ["Given more than once."] for name in repeated}
    try:
        loaded = load(schema, _plain(schema, form))
    except InvalidFields as error:
        raise InvalidFields({**error.errors, **errors}) from error
    if errors:
        raise InvalidFields(errors)
    return loaded


def wire_names(schema: type[Schema]) -> dict[str, str]:
    """How the schema's fields are called on the wire, by the names they have inside."""
    declared: Mapping[str, Field[Any]] = schema._declared_fields
    return {field.attribute or name: field.data_key or name for name, field in declared.items()}


def renamed(errors: Mapping[str, list[str]], names: Mapping[str, str]) -> dict[str, list[str]]:
    """The same errors, under the names that the client knows."""
    return {names.get(name, name): messages for name, messages in errors.items()}


def flattened(messages: Any, prefix: str = "") -> dict[str, list[str]]:
    """The messages of marshmallow as one list for each field; nested fields are named with dots."""
    if isinstance(messages, Mapping):
        flat: dict[str, list[str]] = {}
        for name, inner in messages.items():
            path = prefix if name == WHOLE else f"{prefix}.{name}".lstrip(".")
            for field, told in flattened(inner, path).items():
                flat.setdefault(field, []).extend(told)
        return flat
    return {prefix or "body": [str(message) for message in messages]}


def _takes_many(schema: Schema, name: str) -> bool:
    return any(
        isinstance(field, WordList) for field in schema.fields.values() if (field.data_key or field.name) == name
    )


def _plain(schema: Schema, form: "MultiDict[str, str]") -> dict[str, Any]:
    """The values by name; an input that was left empty counts as not there, as browsers send those too."""
    lists = {name: [value for value in values if value != ""] for name, values in form.lists()}
    return {name: v if _takes_many(schema, name) else v[0] for name, v in lists.items() if v}
