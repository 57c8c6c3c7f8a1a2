"""Which language the client wants to be spoken to in."""

from flask import Flask, Response, g, request

from app.i18n.locales import Locale
from app.middlewares.families import Families


def install(app: Flask, families: Families) -> None:
    """Decide it by `Accept-Language`, else by the family's habit."""

    @app.before_request
    def choose() -> None:
        g.family = families.of(request.path)
        wanted = request.accept_languages.best_match([locale.value for locale in Locale])
        g.locale = Locale(wanted) if wanted else g.family.locale

    @app.after_request
    def tell(response: Response) -> Response:
        if response.is_json:
            response.headers["Content-Language"] = g.locale.value
            response.vary.add("Accept-Language")
        return response
