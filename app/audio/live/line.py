"""Whole messages over a socket. One end waits for them (`send`, `receive`), the other never does (`Line`)."""

import socket
import struct

HEAD = struct.Struct("<I")
"""Each message comes after its length in bytes."""
AT_ONCE_BYTES = 256 * 1024


def send(end: socket.socket, message: bytes) -> None:
    """Send one, waiting until it is taken.

    Raises:
        OSError: nobody is at the other end.
    """
    end.sendall(HEAD.pack(len(message)) + message)


def receive(end: socket.socket) -> bytes:
    """The next one, waited for.

    Raises:
        EOFError, OSError: nobody is at the other end.
    """
    [n_bytes] = HEAD.unpack(_exactly(end, HEAD.size))
    return _exactly(end, n_bytes)


def _exactly(end: socket.socket, n_bytes: int) -> bytes:
    data = bytearray()
    while len(data) < n_bytes:
        if not (piece := end.recv(min(n_bytes - len(data), AT_ONCE_BYTES))):
            raise EOFError
        data += piece
    return bytes(data)


class Line:
    """The end of somebody who has other things to do, and trusts the other end with nothing."""

    def __init__(self, end: socket.socket, most_bytes: int) -> None:
        """`most_bytes`: the length of the longest message that may come."""
        end.setblocking(False)
        self._end = end
        self._most_bytes = most_bytes
        self._came = bytearray()

    def fileno(self) -> int:
        """What can be waited for."""
        return self._end.fileno()

    def send(self, message: bytes) -> None:
        """Send one that the system has room for, as it has for some 100 KiB where the one before was answered.

        Raises:
            OSError: there is no room, or nobody is at the other end.
        """
        data = HEAD.pack(len(message)) + message
        if self._end.send(data) < len(data):
            raise BlockingIOError

    def receive(self) -> bytes | None:
        """The next one; None if it is not there yet, or not all of it.

        Raises:
            EOFError, OSError: nobody is at the other end, or it is longer than it may be.
        """
        while not self._is_whole():
            try:
                piece = self._end.recv(AT_ONCE_BYTES)
            except BlockingIOError:
                return None
            if not piece:
                raise EOFError
            self._came += piece
        n_bytes = HEAD.size + self._n_bytes()
        message = bytes(self._came[HEAD.size : n_bytes])
        del self._came[:n_bytes]
        return message

    def close(self) -> None:
        """Hang up."""
        self._end.close()

    def _is_whole(self) -> bool:
        if len(self._came) < HEAD.size:
            return False
        if self._n_bytes() > self._most_bytes:
            raise EOFError
        return len(self._came) >= HEAD.size + self._n_bytes()

    def _n_bytes(self) -> int:
        [n_bytes] = HEAD.unpack_from(self._came)
        return int(n_bytes)
