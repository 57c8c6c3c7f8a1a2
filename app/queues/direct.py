"""Redis commands on a connection of the client's pool, without the client's own layers above it.

For what every job goes through: those layers take longer than Redis does, and most of all in a process that has just
been woken. Connections, retries and errors are the client's.
"""

import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import redis
from redis.exceptions import ResponseError

Command = Sequence[bytes | str | int | float]

SEND_BUFFER_BYTES = 1024 * 1024
"""What the system takes at once of what is sent to a Redis beside us (or as much of it as it allows): usually a fifth.

Whoever has more to send waits each time until it is his turn again, in a process that serves hundreds in between.
"""


class Direct:
    """Sends commands of one client."""

    def __init__(self, client: "redis.Redis") -> None:
        self._pool = client.connection_pool
        self._retry: Any = client.get_retry()
        self._idle: list[Any] = []

    def __call__(self, *commands: Command) -> list[Any]:
        """Send commands in one go; their answers, as bytes and integers.

        Raises:
            RedisError: Redis cannot be reached, or has refused one of them; the others are done all the same.
        """
        # Put together once from all the pieces: sound is long, and each copy of it costs.
        return self.packed(b"".join([piece for command in commands for piece in _pieces(command)]), len(commands))

    def packed(self, commands: bytes, n: int) -> list[Any]:
        """Send `n` commands that are packed already; otherwise the same.

        Raises:
            RedisError: as above.
        """
        return self._exchanged(lambda: [commands], n)

    def in_turn(self, first: Command, then: Callable[[], Command]) -> list[Any]:
        """Send a command, and make the other while Redis is at the first; otherwise as if sent in one go.

        Raises:
            RedisError: as above.
        """
        return self._exchanged(lambda: _one_by_one(first, then), 2)

    def _exchanged(self, packed: Callable[[], Iterable[bytes]], n: int) -> list[Any]:
        connection = self._lent()
        try:
            answers = self._retry.call_with_retry(
                lambda: _converse(connection, packed(), n), lambda _: connection.disconnect()
            )
        finally:
            self._idle.append(connection)
        for answer in answers:
            if isinstance(answer, ResponseError):
                raise answer
        return list(answers)

    def _lent(self) -> Any:
        """One that lies idle, else a new one. They stay here: the pool looks at each one that comes and goes."""
        try:
            return self._idle.pop()
        except IndexError:
            connection: Any = self._pool.get_connection()
            connection.register_connect_callback(self._widen)
            self._widen(connection)
            return connection

    def _widen(self, connection: Any) -> None:
        """A larger buffer, if it is a socket of this machine: those to others grow by themselves."""
        own: Any = getattr(connection, "_sock", None)
        if own is not None and own.family == socket.AF_UNIX:
            with suppress(OSError):
                own.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)


def _converse(connection: Any, packed: Iterable[bytes], n: int) -> list[Any]:
    try:
        for some in packed:
            connection.send_packed_command([some])
        return [_answer(connection) for _ in range(n)]
    except BaseException:
        connection.disconnect()  # an answer may still be on its way
        raise


def _one_by_one(first: Command, then: Callable[[], Command]) -> Iterator[bytes]:
    yield b"".join(_pieces(first))
    yield b"".join(_pieces(then()))


def _answer(connection: Any) -> Any:
    try:
        return connection.read_response()
    except ResponseError as error:
        return error


def _pieces(command: Command) -> list[bytes]:
    """The command as the Redis protocol has it."""
    pieces = [b"*%d\r\n" % len(command)]
    for part in command:
        given = part if isinstance(part, bytes) else str(part).encode()
        pieces += (b"$%d\r\n" % len(given), given, b"\r\n")
    return pieces


def packed_part(part: bytes | str | float) -> bytes:
    """One of the parts of a command."""
    given = part if isinstance(part, bytes) else str(part).encode()
    return b"$%d\r\n%b\r\n" % (len(given), given)


def joined(parts: Sequence[bytes]) -> bytes:
    """A command of parts that are packed already."""
    return b"*%d\r\n" % len(parts) + b"".join(parts)
