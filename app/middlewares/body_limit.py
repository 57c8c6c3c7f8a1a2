"""How large a request may be: small, but for uploads."""

from collections.abc import Collection

from flask import Flask, request

MAX_BODY_BYTES = 1024 * 1024
FORM_OVERHEAD_BYTES = 1024 * 1024
"""What the fields and boundaries of a form take beside its file."""


def install(app: Flask, uploads: Collection[str], max_upload_bytes: int) -> None:
    """Limit the bodies of all endpoints; `uploads` are those that may take a whole recording."""

    @app.before_request
    def limit() -> None:
        is_upload = request.endpoint in uploads
        request.max_content_length = max_upload_bytes + FORM_OVERHEAD_BYTES if is_upload else MAX_BODY_BYTES
