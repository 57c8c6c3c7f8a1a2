"""A WebSocket for two-way streams.

Its frames are read by whoever answers the request, so that not reading slows the client down: no second thread, no
queue in between. Anybody may send.
"""

import logging
import socket as sockets
import threading
import time
from collections.abc import Iterator

import structlog
from simple_websocket import Server
from websockets.frames import CloseCode, Opcode
from websockets.protocol import OPEN, SEND_EOF

from app.controllers.live_frames import Explain, LiveFrames

log = structlog.get_logger(__name__)

RECEIVE_BYTES = 64 * 1024
SEND_BUFFER_BYTES = 64 * 1024
"""What the system may hold of what a client does not read; beyond it, sending waits."""
STUCK_S = 10.0
PING_S, GONE_S = 20.0, 60.0
CLOSE_WITHIN_S = 3.0
MESSAGES = frozenset({Opcode.TEXT, Opcode.BINARY, Opcode.CONT})

logging.getLogger("websockets.server").setLevel(logging.WARNING)


class Stuck(Exception):
    """The client does not read what it is sent."""


class LiveSocket:
    """Speaks for a connection that flask-sock has upgraded."""

    def __init__(self, server: Server, explain: Explain) -> None:
        server.connected = False  # what follows the upgrade is ours alone
        self._sock: sockets.socket = server.sock
        self._reads_within_s: float | None = STUCK_S
        self._writes_within_s = STUCK_S
        self._sock.settimeout(STUCK_S)
        self._sock.setsockopt(sockets.SOL_SOCKET, sockets.SO_SNDBUF, SEND_BUFFER_BYTES)
        self._frames = LiveFrames(explain)
        self._lock = threading.Lock()
        self._heard_s = self._pinged_s = time.monotonic()
        self._is_reading = False
        self._has_ended = threading.Event()
        self._unsent = b""
        self._messages = self._listen()

    def messages(self) -> Iterator[bytes | str]:
        """What the client sends, until either side closes; asked again it goes on. What comes after is thrown away.

        Raises:
            Stuck: the client does not read.
        """
        return self._messages

    def be_looked_after(self) -> None:
        """From now on `look` is called now and then, so that whoever reads need not look at the clock each time."""
        self._reads_within_s = None
        self._sock.settimeout(None)

    def look(self) -> None:
        """Ask a client that has been silent for long whether it is there; one that was for too long is cut off.

        Raises:
            Stuck: the client does not read.
            OSError: the client is gone.
        """
        now_s = time.monotonic()
        if not self._is_reading:
            self._heard_s = now_s  # nobody listens: that is no silence
        elif now_s > self._heard_s + STUCK_S and self._silent() is not None:
            self.cut()

    def send(self, text: str) -> None:
        """Send a message; nothing once the connection is closing.

        Raises:
            Stuck: the client has not read for `STUCK_S`.
            OSError: the client is gone.
        """
        with self._lock:
            if self._frames.state is OPEN:
                self._frames.send_text(text.encode())
                self._write()

    def close(self, code: int, last: str | None = None) -> None:
        """Close with a last message, and wait a little for the client to do so too; also for one that is stuck."""
        self._say_goodbye(code, last)
        if not self._has_ended.wait(CLOSE_WITHIN_S):
            self.cut()

    def finish(self, code: int, last: str | None = None) -> None:
        """The same for whoever reads the messages."""
        self._say_goodbye(code, last)
        for _ in self.messages():
            pass

    def cut(self) -> None:
        """End it at once; whoever reads or writes is woken."""
        try:
            self._sock.shutdown(sockets.SHUT_RDWR)
        except OSError:
            log.debug("socket_lost")

    def _listen(self) -> Iterator[bytes | str]:
        try:
            while not self._frames.has_closed:
                data = self._received()
                if data is not None:
                    yield from self._understood(data)
        finally:
            self._has_ended.set()

    def _say_goodbye(self, code: int, last: str | None) -> None:
        self._reads_within_s = self._writes_within_s = CLOSE_WITHIN_S
        self._sock.settimeout(CLOSE_WITHIN_S)
        try:
            with self._lock:
                if self._frames.state is OPEN:
                    if last is not None:
                        self._frames.send_text(last.encode())
                    self._frames.send_close(CloseCode(code))
                    self._write()
        except (OSError, Stuck):
            log.debug("socket_lost")

    def _understood(self, data: bytes) -> Iterator[bytes | str]:
        if (sound := self._frames.sound(data)) is not None:
            yield from sound
            return
        with self._lock:
            frames = self._frames.understood(data)
            self._write()
        for frame in frames:
            if frame.opcode in MESSAGES and (message := self._frames.message(frame)) is not None:
                yield message

    def _received(self) -> bytes | None:
        """Bytes; none of them at the end, None after a while of silence."""
        self._is_reading = True
        try:
            data = self._sock.recv(RECEIVE_BYTES)
        except (TimeoutError, BlockingIOError):  # the latter if just then somebody writes
            return self._silent()
        except OSError:
            return b""
        finally:
            self._is_reading = False
        self._heard_s = time.monotonic()
        return b"" if self._frames.is_overdue else data

    def _silent(self) -> bytes | None:
        now_s = time.monotonic()
        if self._frames.state is not OPEN or now_s > self._heard_s + GONE_S:
            return b""
        if now_s > self._pinged_s + PING_S:
            self._pinged_s = now_s
            with self._lock:
                self._frames.send_ping(b"")
                self._write()
        return None

    def _write(self) -> None:
        to_send = self._frames.data_to_send()
        if not to_send:
            return
        data = self._unsent + b"".join(to_send)
        self._sock.settimeout(self._writes_within_s)
        try:
            while data:
                data = data[self._sock.send(data) :]
        except TimeoutError as error:
            raise Stuck from error
        finally:
            self._unsent = data
            self._sock.settimeout(self._reads_within_s)
        if SEND_EOF in to_send:
            self._sock.shutdown(sockets.SHUT_WR)
