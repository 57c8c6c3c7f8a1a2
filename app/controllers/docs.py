"""The interactive documentation: Swagger UI out of its wheel, so that it needs no network."""

import mimetypes
from pathlib import Path
from typing import Any

import swagger_ui_bundle
from flask import Response, current_app, send_from_directory
from werkzeug.exceptions import NotFound

DOCUMENT = "PARLOIR_OPENAPI"
ASSETS = frozenset({"swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"})
ONE_DAY_S = 86_400
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'"
)
PAGES = Path(__file__).parent / "pages"


def get_openapi() -> dict[str, Any]:
    """The OpenAPI document, made from the route table."""
    document: dict[str, Any] = current_app.config[DOCUMENT]
    return document


def get_docs() -> Response:
    """Swagger UI."""
    return _page("docs.html")


def get_docs_asset(name: str) -> Response:
    """A file of Swagger UI, or our few lines that start it."""
    if name == "start.js":
        return _cached(send_from_directory(PAGES, name))
    if name not in ASSETS:
        raise NotFound
    return _cached(send_from_directory(Path(swagger_ui_bundle.swagger_ui_path), name))


def _page(name: str) -> Response:
    response = Response((PAGES / name).read_text(encoding="utf-8"), content_type=mimetypes.types_map[".html"])
    response.headers["Content-Security-Policy"] = PAGE_POLICY
    return response


def _cached(response: Response) -> Response:
    response.headers["Cache-Control"] = f"public, max-age={ONE_DAY_S}"
    return response
