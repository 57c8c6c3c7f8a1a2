"""A WebSocket client that takes little of the cores it shares with the service, which real clients do not share at all.

It knows what our servers say, and no more: whole text messages, pings and closes.
"""

import asyncio
import base64
import os
import struct
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from websockets.frames import Opcode
from websockets.speedups import apply_mask

HEAD_END = b"\r\n\r\n"
WHOLE, MASKED = 0x80, 0x80
CLOSED_NORMALLY = struct.pack("!H", 1000)


class LeanSocket(asyncio.Protocol):
    """One connection; iterated over, it gives the server's messages until either side closes."""

    def __init__(self) -> None:
        self._received = b""
        self._messages: deque[str] = deque()
        self._has_begun = self._has_ended = False
        self._changed: asyncio.Future[None] | None = None
        self._may_write = asyncio.Event()
        self._may_write.set()

    async def begin(self, host: str, path: str) -> None:
        """The handshake.

        Raises:
            ConnectionError: the server does not want to.
        """
        key = base64.b64encode(os.urandom(16)).decode()
        asked = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        self._transport.write(f"{asked}Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
        await self._until(lambda: HEAD_END in self._received)
        head, _, self._received = self._received.partition(HEAD_END)
        if not head.startswith(b"HTTP/1.1 101 "):
            raise ConnectionError(head.partition(b"\r\n")[0].decode())
        self._has_begun = True
        self._take_frames()

    async def send(self, message: bytes | str) -> None:
        """Send a message; waits while the server reads nothing."""
        await self._may_write.wait()
        if isinstance(message, str):
            self._write(Opcode.TEXT, message.encode())
        else:
            self._write(Opcode.BINARY, message)

    def close(self) -> None:
        """Say goodbye and go."""
        if not self._transport.is_closing():
            self._write(Opcode.CLOSE, CLOSED_NORMALLY)
            self._transport.close()

    async def __aiter__(self) -> AsyncIterator[str]:
        """Each message of the server."""
        while True:
            await self._until(lambda: bool(self._messages) or self._has_ended)
            if not self._messages:
                return
            yield self._messages.popleft()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        self._received += data
        if self._has_begun:
            self._take_frames()
        self._wake()

    def connection_lost(self, _error: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._has_ended = True
        self._may_write.set()
        self._wake()

    def pause_writing(self) -> None:
        """See `asyncio.Protocol`."""
        self._may_write.clear()

    def resume_writing(self) -> None:
        """See `asyncio.Protocol`."""
        self._may_write.set()

    def _write(self, opcode: Opcode, data: bytes) -> None:
        n_bytes, mask = len(data), os.urandom(4)
        if n_bytes < 126:
            head = struct.pack("!BB", WHOLE | opcode, MASKED | n_bytes)
        else:
            head = struct.pack("!BBH", WHOLE | opcode, MASKED | 126, n_bytes)  # none is longer than 64 KiB
        self._transport.write(head + mask + apply_mask(data, mask))

    def _take_frames(self) -> None:
        while len(self._received) >= 2:
            start, n_bytes = 2, self._received[1]
            if n_bytes >= 126:
                start, form = (4, "!H") if n_bytes == 126 else (10, "!Q")
                if len(self._received) < start:
                    return
                (n_bytes,) = struct.unpack_from(form, self._received, 2)
            if len(self._received) < start + n_bytes:
                return
            opcode, data = self._received[0] ^ WHOLE, self._received[start : start + n_bytes]
            self._received = self._received[start + n_bytes :]
            self._take(opcode, data)

    def _take(self, opcode: int, data: bytes) -> None:
        match opcode:
            case Opcode.TEXT:
                self._messages.append(data.decode())
            case Opcode.PING:
                self._write(Opcode.PONG, data)
            case Opcode.CLOSE:
                self.close()
            case _:
                raise ConnectionError(f"frames of the kind {opcode} are not known here")

    async def _until(self, is_so: Callable[[], bool]) -> None:
        while not is_so():
            if self._has_ended:
                raise ConnectionError("the server has gone")
            self._changed = asyncio.get_running_loop().create_future()
            await self._changed

    def _wake(self) -> None:
        if self._changed is not None and not self._changed.done():
            self._changed.set_result(None)


@asynccontextmanager
async def connected(url: str, within_s: float = 60.0) -> AsyncIterator[LeanSocket]:
    """A connection, for as long as the block lasts.

    Raises:
        ConnectionError, TimeoutError: there is none.
    """
    where = urlsplit(url)
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(within_s):
        _, socket = await loop.create_connection(LeanSocket, where.hostname or "", where.port or 80)
        await socket.begin(where.netloc, f"{where.path or '/'}?{where.query}")
    try:
        yield socket
    finally:
        socket.close()
