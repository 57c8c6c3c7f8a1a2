"""Which pages of other origins may call the API (the Fetch standard, section 3.3)."""

from collections.abc import Collection

from flask import Flask, Response, request

ANY = "*"
METHODS = "GET, HEAD, POST, PATCH, DELETE, OPTIONS"
REQUEST_HEADERS = (
    "Accept-Language, Authorization, Content-Type, Idempotency-Key, If-Range, Last-Event-ID, Range, X-API-Key, "
    "X-Request-ID"
)
RESPONSE_HEADERS = (
    "Accept-Ranges, Content-Disposition, Content-Range, ETag, Idempotency-Replayed, Retry-After, X-Request-ID"
)
REMEMBERED_S = 600


def install(app: Flask, origins: Collection[str]) -> None:
    """Let pages of `origins` in; `*` is any. Without origins nothing is said, and browsers refuse."""
    if not origins:
        return

    @app.before_request
    def preflight() -> Response | None:
        is_preflight = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        return app.response_class(status=204) if is_preflight else None

    @app.after_request
    def allow(response: Response) -> Response:
        response.vary.add("Origin")
        origin = request.headers.get("Origin")
        if origin is not None and (ANY in origins or origin in origins):
            response.headers["Access-Control-Allow-Origin"] = ANY if ANY in origins else origin
            response.headers["Access-Control-Expose-Headers"] = RESPONSE_HEADERS
            if request.method == "OPTIONS":
                response.headers["Access-Control-Allow-Methods"] = METHODS
                response.headers["Access-Control-Allow-Headers"] = REQUEST_HEADERS
                response.headers["Access-Control-Max-Age"] = str(REMEMBERED_S)
        return response
