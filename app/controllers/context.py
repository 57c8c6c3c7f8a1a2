"""What belongs to the request at hand; put there by the middlewares, read by the controllers."""

from typing import cast

from flask import current_app, g

from app.domain.principal import Principal
from app.i18n.locales import Locale
from app.services.container import Services

EXTENSION = "parloir"


def services() -> Services:
    """The services of this application."""
    return cast("Services", current_app.extensions[EXTENSION])


def principal() -> Principal:
    """On whose behalf the request is answered."""
    return cast("Principal", g.principal)


def locale() -> Locale:
    """The language in which the client wants to be spoken to."""
    return cast("Locale", g.locale)
