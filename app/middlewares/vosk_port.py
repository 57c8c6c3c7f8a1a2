"""vosk-server's clients speak to `/` on a port of their own."""

from collections.abc import Callable, Iterable
from typing import Any

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


class VoskPort:
    """WSGI: on the port `port`, `/` is `path`."""

    def __init__(self, app: Wsgi, port: int, path: str) -> None:
        self._app = app
        self._port, self._path = str(port), path

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer a request."""
        if environ.get("SERVER_PORT") == self._port and environ.get("PATH_INFO", "") in {"", "/"}:
            environ["PATH_INFO"] = self._path
        return self._app(environ, start_response)
