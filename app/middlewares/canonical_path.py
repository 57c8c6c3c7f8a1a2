"""Existing clients write `/api/batchtranscription` as well as `/api/batchTranscription`."""

from collections.abc import Callable, Iterable
from typing import Any

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


class CanonicalPath:
    """WSGI: the first path segment after `/api` in the case that the routes have, if it is one of `segments`."""

    def __init__(self, app: Wsgi, segments: Iterable[str]) -> None:
        self._app = app
        self._canonical = {segment.lower(): segment for segment in segments}

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer a request."""
        environ["PATH_INFO"] = self.canonical(environ.get("PATH_INFO", ""))
        return self._app(environ, start_response)

    def canonical(self, path: str) -> str:
        """The path as the routes have it."""
        parts = path.split("/")
        if parts[:2] == ["", "api"] and len(parts) > 2:
            parts[2] = self._canonical.get(parts[2].lower(), parts[2])
        return "/".join(parts)


def first_segments(paths: Iterable[str]) -> set[str]:
    """The segments that come right after `/api` in these paths."""
    return {path.split("/")[2] for path in paths if path.startswith("/api/")}
