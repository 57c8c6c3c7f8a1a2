"""What a line of a route table holds."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from marshmallow import Schema

from app.domain.errors import InvalidFields, ParloirError, Unavailable
from app.schemas.envelope import enveloped

JSON = "application/json"
MULTIPART = "multipart/form-data"


@dataclass(frozen=True, slots=True)
class Answer:
    """A good answer. `wrap` puts the dumped schema into the envelope of the family; it is told the schema in the docs.

    Without a schema the controller makes the whole response, of one of `content_types`.
    """

    description: str
    schema: type[Schema] | None = None
    status: HTTPStatus = HTTPStatus.OK
    content_types: tuple[str, ...] = (JSON,)
    wrap: Callable[[Any], dict[str, Any]] | None = enveloped


@dataclass(frozen=True, slots=True)
class Header:
    """A request header that means something here."""

    name: str
    description: str


@dataclass(frozen=True, slots=True)
class Route:
    """One address: where it is, who answers, what is taken, what is given, what can go wrong.

    The controller gets the path's variables, and `query` and `body` as the schemas load them. A form is loaded by
    the controller itself, while it arrives. `errors` are those beside what the schemas find.
    """

    method: str
    path: str
    controller: Callable[..., Any]
    summary: str
    tag: str
    answer: Answer
    query: type[Schema] | None = None
    body: type[Schema] | None = None
    form: type[Schema] | None = None
    headers: tuple[Header, ...] = ()
    errors: tuple[type[ParloirError], ...] = ()
    is_upload: bool = False
    is_told: bool = True

    @property
    def endpoint(self) -> str:
        """The name of the controller, which is unique in a table."""
        return f"{self.tag}.{self.controller.__name__}"

    @property
    def all_errors(self) -> tuple[type[ParloirError], ...]:
        """Everything that can go wrong, also what the schemas find."""
        shaped = (InvalidFields,) if self.query or self.body or self.form else ()
        return tuple(dict.fromkeys((*self.errors, *shaped)))


@dataclass(frozen=True, slots=True)
class Socket:
    """A WebSocket: `admit` runs before the connection is upgraded and may raise, `controller` speaks."""

    path: str
    admit: Callable[..., None]
    controller: Callable[..., None]
    summary: str
    tag: str

    @property
    def endpoint(self) -> str:
        """The name of the controller, which is unique in a table."""
        return f"{self.tag}.{self.controller.__name__}"


BACKING: tuple[type[ParloirError], ...] = (Unavailable,)
