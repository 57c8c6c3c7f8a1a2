"""Recordings, whole or in ranges (RFC 9110, section 14), and their outlines."""

import re
from base64 import b64encode
from typing import Any

from flask import Response, request
from werkzeug.wsgi import FileWrapper

from app.controllers.context import principal, services
from app.controllers.file_names import disposition
from app.services.jobs.catalogue import Recording

CHUNK_BYTES = 64 * 1024
ONE_RANGE = re.compile(r"\s*bytes\s*=\s*(\d+-\d*|-\d+)\s*", re.IGNORECASE)


def get_audio(job_id: str) -> Response:
    """A job's recording as it was handed in."""
    recording = services().catalogue.open_recording(principal(), job_id)
    try:
        response = _response(recording)
        response.make_conditional(_environ(), accept_ranges=True, complete_length=recording.size_bytes)
    except BaseException:
        recording.file.close()
        raise
    return response


def get_peaks(job_id: str) -> dict[str, Any]:
    """The outline of a job's recording."""
    peaks = services().catalogue.get_peaks(principal(), job_id)
    encoded = b64encode(peaks.pairs).decode("ascii")
    return {"bucket_seconds": peaks.bucket_s, "buckets": peaks.n_buckets, "peaks": encoded}


def _response(recording: Recording) -> Response:
    body = FileWrapper(recording.file, CHUNK_BYTES)
    response = Response(body, content_type=recording.content_type, direct_passthrough=True)
    response.content_length = recording.size_bytes
    response.set_etag(recording.sha256)
    response.headers["Content-Disposition"] = disposition("inline", recording.filename)
    response.headers["Cache-Control"] = "private, no-cache"
    # What pretends to be sound and is a page must not run as one.
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.call_on_close(recording.file.close)
    return response


def _environ() -> dict[str, Any]:
    """The request; a range that we do not serve (several at once, other units) is one to be ignored."""
    environ = dict(request.environ)
    if not ONE_RANGE.fullmatch(environ.get("HTTP_RANGE", "")):
        environ.pop("HTTP_RANGE", None)
    return environ
