"""The page at `/`, and what it is made of."""

from flask import Response, request
from werkzeug.exceptions import NotFound

from app.controllers.web_files import WebFile, load_web

FOR_EVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob:; "
    "connect-src 'self'; worker-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)


def get_page() -> Response:
    """The page."""
    response = _served(load_web().page, ASK_AGAIN)
    response.headers["Content-Security-Policy"] = POLICY
    return response


def get_file(revision: str, name: str) -> Response:
    """A file of the page; at an older address the newest is given, but not to be kept."""
    web = load_web()
    if name not in web.files:
        raise NotFound
    return _served(web.files[name], FOR_EVER if revision == web.revision else ASK_AGAIN)


def _served(file: WebFile, caching: str) -> Response:
    is_compressed = request.accept_encodings["gzip"] > 0
    response = Response(file.compressed if is_compressed else file.content, content_type=file.content_type)
    if is_compressed:
        response.headers["Content-Encoding"] = "gzip"
    response.vary.add("Accept-Encoding")
    response.headers["Cache-Control"] = caching
    response.set_etag(file.etag, weak=True)
    response.make_conditional(request)
    return response
