"""Connections to exactly the addresses that were checked, with an end to their time."""

import ssl
from collections.abc import Iterable, Sequence
from typing import Any

import httpcore

from app.outbound.deadline import Deadline
from app.outbound.guard import Guard


class GuardedBackend(httpcore.NetworkBackend):
    """Opens connections for httpcore.

    The name is resolved here, once, and the connection goes to what was found: no second look-up could answer
    otherwise (DNS rebinding). httpcore goes on using the name for TLS and for the Host header.
    """

    def __init__(self, guard: Guard, deadline: Deadline) -> None:
        self._guard = guard
        self._deadline = deadline
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first of the host's addresses that answers.

        Raises:
            UrlRefused: the host may not be reached.
            httpcore.ConnectError, httpcore.ConnectTimeout: it cannot be reached.
        """
        last: httpcore.NetworkError | httpcore.TimeoutException | None = None
        for address in self._addresses(host, port):
            try:
                stream = self._sockets.connect_tcp(
                    address, port, self._patience(timeout), local_address, socket_options
                )
                return TimedStream(stream, self._deadline)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                last = error
        raise last or httpcore.ConnectError("the name has no address")

    def _addresses(self, host: str, port: int) -> Sequence[str]:
        try:
            return self._guard.addresses(host, port)
        except OSError as error:
            raise httpcore.ConnectError("the name cannot be resolved") from error

    def _patience(self, timeout: float | None) -> float:
        left_s = self._deadline.timeout(timeout)
        if left_s <= 0:
            raise httpcore.ConnectTimeout("no time is left")
        return left_s


class TimedStream(httpcore.NetworkStream):
    """A connection on which no wait goes beyond the deadline."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Some bytes; none at the end."""
        left_s = self._deadline.timeout(timeout)
        if left_s <= 0:
            raise httpcore.ReadTimeout("no time is left")
        return self._stream.read(max_bytes, left_s)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """All the bytes."""
        left_s = self._deadline.timeout(timeout)
        if left_s <= 0:
            raise httpcore.WriteTimeout("no time is left")
        self._stream.write(buffer, left_s)

    def close(self) -> None:
        """Hang up."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """The same connection, encrypted, to a server that proves to be `server_hostname`."""
        left_s = self._deadline.timeout(timeout)
        if left_s <= 0:
            self.close()
            raise httpcore.ConnectTimeout("no time is left")
        return TimedStream(self._stream.start_tls(ssl_context, server_hostname, left_s), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        """What httpcore wants to know of the socket."""
        return self._stream.get_extra_info(info)
