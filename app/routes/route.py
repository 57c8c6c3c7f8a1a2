"""What a line of a route table holds."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from marshmallow import Schema

from app.domain.errors import BadRequest, InvalidFields, ParloirError, TooManyRequests
from app.schemas.envelope import enveloped

JSON = "application/json"


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

    The controller gets the path's variables, and `query` and `body` as their schemas load them; `before` is asked
    first and may raise. A `form`, with a recording in `file_field`, is loaded by the controller, while it arrives.
    `errors` are those beside what the schemas find. A route that is not `is_told` stays out of the docs,
    one that is not `is_limited` may be asked as often as one likes.
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
    either: type[Schema] | None = None
    file_field: str | None = None
    before: Callable[[], None] | None = None
    headers: tuple[Header, ...] = ()
    errors: tuple[type[ParloirError], ...] = ()
    is_told: bool = True
    is_limited: bool = True

    @property
    def endpoint(self) -> str:
        """A name that is unique in a table."""
        return f"{self.tag}.{self.controller.__name__}"

    @property
    def all_errors(self) -> tuple[type[ParloirError], ...]:
        """Everything that can go wrong, also what the schemas find and the limits refuse."""
        shaped = (InvalidFields,) if self.query or self.body or self.form or self.either else ()
        malformed = (BadRequest,) if self.body or self.form or self.either else ()
        limited = (TooManyRequests,) if self.is_limited else ()
        return tuple(dict.fromkeys((*malformed, *shaped, *self.errors, *limited)))


@dataclass(frozen=True, slots=True)
class Socket:
    """A WebSocket: `admit` runs before the connection is upgraded and may raise, `controller` speaks.

    `queries` are for the docs: the controller loads one of them.
    """

    path: str
    admit: Callable[..., None]
    controller: Callable[..., None]
    summary: str
    tag: str
    queries: tuple[type[Schema], ...] = ()

    @property
    def endpoint(self) -> str:
        """A name that is unique in a table."""
        return f"{self.tag}.{self.controller.__name__}"
