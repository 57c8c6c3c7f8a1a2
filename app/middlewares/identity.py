"""Who is asking: the one place where a request becomes a `Principal`."""

from flask import Flask, Request, g, request

from app.domain.principal import ANONYMOUS, Principal


def install(app: Flask) -> None:
    """Put the principal where the controllers find it, before anything else of theirs runs."""

    @app.before_request
    def identify() -> None:
        g.principal = principal_of(request)


def principal_of(_request: Request) -> Principal:
    """On whose behalf a request is made; on a service without accounts, everybody is the same one."""
    return ANONYMOUS
