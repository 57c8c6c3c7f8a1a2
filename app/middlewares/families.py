"""Families of endpoints: each has its own way to say that something is wrong, and its own first language."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from app.i18n.locales import Locale
from app.schemas.envelope import error_envelope


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, ready to be told: a status, a stable code, a message in the client's language."""

    status: HTTPStatus
    code: str
    message: str
    errors: Mapping[str, Sequence[str]] | None = None


@dataclass(frozen=True, slots=True)
class Family:
    """Paths that begin with one of `prefixes`; `render` makes the JSON body of an error."""

    name: str
    prefixes: tuple[str, ...]
    locale: Locale
    render: Callable[[Problem], dict[str, Any]]


class Families:
    """Which family a path belongs to; the longest prefix wins, and the native family takes the rest."""

    def __init__(self, native: Family, *others: Family) -> None:
        self._native = native
        by_prefix = [(prefix, family) for family in others for prefix in family.prefixes]
        self._by_prefix = sorted(by_prefix, key=lambda entry: len(entry[0]), reverse=True)

    def of(self, path: str) -> Family:
        """The family of a path."""
        matching = (family for prefix, family in self._by_prefix if path.startswith(prefix))
        return next(matching, self._native)


def native_family(locale: Locale) -> Family:
    """The family of the web page and of our own clients."""
    return Family("native", ("/api",), locale, render_native)


def render_native(problem: Problem) -> dict[str, Any]:
    """The native envelope of an error."""
    return error_envelope(problem.code, problem.message, problem.errors)
