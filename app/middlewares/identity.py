"""Who is asking: the one place where a request becomes a `Principal`."""

import hmac

from flask import Flask, Request, g, request

from app.domain.principal import ANONYMOUS, DEFAULT_PROJECT, Principal

KEY_HEADER = "X-API-Key"
ADMIN = Principal(DEFAULT_PROJECT, name="internal", is_admin=True)


def install(app: Flask, internal_api_key: str | None = None) -> None:
    """Put the principal where the controllers find it, before anything else of theirs runs."""

    @app.before_request
    def identify() -> None:
        g.principal = principal_of(request, internal_api_key)
        g.could_be_admin = internal_api_key is not None


def principal_of(asked: Request, internal_api_key: str | None = None) -> Principal:
    """On whose behalf a request is made.

    Whoever sends the internal key is an administrator; without accounts, everybody else is the same one. What needs
    an administrator refuses the others itself.
    """
    sent = asked.headers.get(KEY_HEADER, "").strip()
    if internal_api_key is not None and _is_same(sent, internal_api_key):
        return ADMIN
    return ANONYMOUS


def _is_same(sent: str, key: str) -> bool:
    """Compared in constant time, so that a key cannot be guessed letter by letter."""
    return hmac.compare_digest(sent.encode("latin-1", "replace"), key.encode())
