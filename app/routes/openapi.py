"""The OpenAPI document of a route table: the same table that is served, the same schemas that check."""

import re
from collections import defaultdict
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import Schema

from app import __version__
from app.domain.errors import ParloirError
from app.middlewares.errors import status_of
from app.routes.route import JSON, Answer, Route, Socket
from app.schemas.answers import ErrorAnswer

# Swagger UI, as its wheel has it, knows nothing newer.
OPENAPI = "3.0.3"
VARIABLE = re.compile(r"<(?:\w+:)?(\w+)>")
ABOUT = """Speech to text. Hand in a recording, be told when it is done, read what was said.

Messages for people are in French, or in English with `Accept-Language: en`; codes, states and names never change."""


def openapi_document(routes: Iterable[Route], sockets: Iterable[Socket]) -> dict[str, Any]:
    """The document, as JSON."""
    plugin = MarshmallowPlugin(schema_name_resolver=_component)
    spec = APISpec("Parloir", __version__, OPENAPI, plugins=[plugin], info={"description": ABOUT})
    for route in routes:
        if route.is_told:
            spec.path(_path(route.path), operations={route.method.lower(): _operation(route, plugin)})
    for socket in sockets:
        spec.path(_path(socket.path), operations={"get": _upgrade(socket)})
    document: dict[str, Any] = spec.to_dict()
    return document


def _component(schema: Any) -> str:
    kind = schema if isinstance(schema, type) else type(schema)
    return kind.__name__.removesuffix("Answer")


def _path(rule: str) -> str:
    return VARIABLE.sub(r"{\1}", rule)


def _operation(route: Route, plugin: MarshmallowPlugin) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.controller.__name__,
        "tags": [route.tag],
        "summary": route.summary,
        "parameters": [*_variables(route.path), *_parameters(route)],
        "responses": {**_answer(route.answer), **_errors(route.all_errors)},
    }
    if route.body:
        operation["requestBody"] = {"required": True, "content": {JSON: {"schema": route.body}}}
    if route.either:
        kinds = (JSON, "multipart/form-data", "application/x-www-form-urlencoded")
        operation["requestBody"] = {"content": {kind: {"schema": route.either} for kind in kinds}}
    if route.form:
        operation["requestBody"] = _form(route.form, route.file_field, plugin)
    return operation


def _variables(rule: str) -> list[dict[str, Any]]:
    return [{"in": "path", "name": name, "required": True, "schema": _text()} for name in VARIABLE.findall(rule)]


def _parameters(route: Route) -> list[dict[str, Any]]:
    headers = [{"in": "header", "name": h.name, "description": h.description, "schema": _text()} for h in route.headers]
    return [{"in": "query", "schema": route.query}, *headers] if route.query else headers


def _answer(answer: Answer) -> dict[str, Any]:
    content = {kind: {"schema": _shape(answer)} for kind in answer.content_types}
    return {str(int(answer.status)): {"description": answer.description, "content": content}}


def _shape(answer: Answer) -> Any:
    if answer.schema is None:
        return _text() if answer.content_types != (JSON,) else {"type": "object"}
    if answer.wrap is None:
        return answer.schema
    return {
        "type": "object",
        "required": ["status", "data"],
        "properties": {"status": {"type": "string", "enum": ["success"]}, "data": answer.schema},
    }


def _errors(errors: Iterable[type[ParloirError]]) -> dict[str, Any]:
    by_status: dict[HTTPStatus, list[str]] = defaultdict(list)
    for error in errors:
        by_status[status_of(error)].append(error.code)
    return {
        str(int(status)): {
            "description": f"{status.phrase}: " + ", ".join(f"`{code}`" for code in codes),
            "content": {JSON: {"schema": ErrorAnswer}},
        }
        for status, codes in sorted(by_status.items())
    }


def _form(form: type[Schema], file_field: str | None, plugin: MarshmallowPlugin) -> dict[str, Any]:
    shape = plugin.converter.schema2jsonschema(form)
    shape.pop("additionalProperties", None)
    if file_field:
        file = {"type": "string", "format": "binary", "description": "The recording"}
        shape["properties"] = {file_field: file, **shape["properties"]}
    return {"required": True, "content": {"multipart/form-data": {"schema": shape}}}


def _upgrade(socket: Socket) -> dict[str, Any]:
    return {
        "operationId": socket.controller.__name__,
        "tags": [socket.tag],
        "summary": socket.summary,
        "parameters": [*_variables(socket.path), *({"in": "query", "schema": query} for query in socket.queries)],
        "responses": {"101": {"description": "Switching Protocols"}},
    }


def _text() -> dict[str, str]:
    return {"type": "string"}
