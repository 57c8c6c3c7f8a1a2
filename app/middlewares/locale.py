"""Which language the client wants to be spoken to in."""

from flask import Flask, Response, g, request
from werkzeug.datastructures import LanguageAccept

from app.i18n.locales import Locale
from app.middlewares.families import Families

SPOKEN = {locale.value: locale for locale in Locale}


def best_locale(wanted: LanguageAccept) -> Locale | None:
    """The first of the client's languages that we speak; `fr-CA` is French (RFC 4647, section 3.4)."""
    subtags = (tag.split("-")[0].lower() for tag, quality in wanted if quality > 0)
    return next((SPOKEN[subtag] for subtag in subtags if subtag in SPOKEN), None)


def install(app: Flask, families: Families) -> None:
    """Decide it by `Accept-Language`, else by the family's habit."""

    @app.before_request
    def choose() -> None:
        g.family = families.of(request.path)
        g.locale = best_locale(request.accept_languages) or g.family.locale

    @app.after_request
    def tell(response: Response) -> Response:
        if response.is_json:
            response.headers["Content-Language"] = g.locale.value
            response.vary.add("Accept-Language")
        return response
