"""Recordings, whole or in ranges (RFC 9110, section 14)."""

from flask import Response, request

from app.controllers.context import principal, services
from app.controllers.file_names import disposition
from app.services.jobs.catalogue import Recording

CHUNK_BYTES = 64 * 1024


def get_audio(job_id: str) -> Response:
    """A job's recording as it was handed in."""
    recording = services().catalogue.open_recording(principal(), job_id)
    response = Response(_Chunks(recording), content_type=recording.content_type, direct_passthrough=True)
    response.content_length = recording.size_bytes
    response.set_etag(recording.sha256)
    response.headers["Content-Disposition"] = disposition("inline", recording.filename)
    response.headers["Cache-Control"] = "private, no-cache"
    # What pretends to be sound and is a page must not run as one.
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.call_on_close(recording.file.close)
    return response.make_conditional(request.environ, accept_ranges=True, complete_length=recording.size_bytes)


class _Chunks:
    """A recording in pieces; seekable, so that a range does not read what is before it."""

    def __init__(self, recording: Recording) -> None:
        self._file = recording.file

    def __iter__(self) -> "_Chunks":
        return self

    def __next__(self) -> bytes:
        data = self._file.read(CHUNK_BYTES)
        if not data:
            raise StopIteration
        return data

    def seekable(self) -> bool:
        """Yes."""
        return True

    def seek(self, offset: int) -> int:
        """Go to a byte."""
        return self._file.seek(offset)

    def tell(self) -> int:
        """The byte that comes next."""
        return self._file.tell()
