"""httpx over connections that are guarded."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import httpcore
import httpx

from app.outbound.backend import GuardedBackend
from app.outbound.urls import require_decent


class GuardedTransport(httpx.BaseTransport):
    """Carries the requests of one errand; each redirect comes through here as a request of its own."""

    def __init__(self, backend: GuardedBackend, tls: ssl.SSLContext) -> None:
        self._pool = httpcore.ConnectionPool(ssl_context=tls, network_backend=backend, max_connections=1)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send it and give the answer, its body not yet read.

        Raises:
            UrlRefused: its URL or its host's address is refused.
            httpx.TransportError: no answer came.
        """
        require_decent(request.url)
        assert isinstance(request.stream, httpx.SyncByteStream), "the client is not an asynchronous one"
        url = request.url
        asked = httpcore.Request(
            method=request.method,
            url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        with _httpx_errors():
            answer = self._pool.handle_request(asked)
        body = _NoBody(answer) if 300 <= answer.status < 400 else _Body(answer)
        return httpx.Response(answer.status, headers=answer.headers, stream=body, extensions=answer.extensions)

    def close(self) -> None:
        """Hang up."""
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        with _httpx_errors():
            yield from self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


class _NoBody(_Body):
    """The body of a redirect, which httpx would read to its end before it goes on, however long it is."""

    def __iter__(self) -> Iterator[bytes]:
        return iter(())


@contextmanager
def _httpx_errors() -> Iterator[None]:
    try:
        yield
    except httpcore.TimeoutException as error:
        raise httpx.TimeoutException("it took too long") from error
    except httpcore.ConnectError as error:
        raise httpx.ConnectError(str(error)) from error
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        raise httpx.NetworkError("the connection broke") from error
