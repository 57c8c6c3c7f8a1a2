"""Clients of live sessions, as people write them: over a WebSocket, with the `websockets` package."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlencode

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.live import CHUNK_BYTES, RATE_HZ

STREAM = "/api/streamingTranscription/stream"
CREATE_STREAM = "/api/streamingTranscription/createJob"
STREAM_RESULT = "/api/streamingTranscription/result"


@dataclass
class Talk:
    """One native connection; `told` is all that came, in order."""

    socket: ClientConnection
    told: list[dict[str, Any]] = field(default_factory=list)
    code: int | None = None

    @classmethod
    @contextmanager
    def to(cls, base_url: str, path: str = STREAM, headers: Any = None, **query: Any) -> Iterator[Self]:
        """Connect; in the end without a closing handshake, if there was none."""
        url = f"{base_url.replace('http', 'ws', 1)}{path}{'?' if query else ''}{urlencode(query)}"
        given = {"Accept-Language": "en", **(headers or {})}
        with connect(url, additional_headers=given, max_size=None, close_timeout=3) as socket:
            yield cls(socket)

    def hear(self, timeout_s: float = 20.0) -> dict[str, Any] | None:
        """The next message; None once the connection is closed (see `code`)."""
        try:
            message: dict[str, Any] = json.loads(self.socket.recv(timeout_s))
        except ConnectionClosed:
            self.code = self.socket.close_code
            return None
        self.told.append(message)
        return message

    def until(self, kind: str, timeout_s: float = 30.0) -> dict[str, Any]:
        """Hear until a message of this type."""
        deadline_s = time.monotonic() + timeout_s
        while time.monotonic() < deadline_s:
            message = self.hear(deadline_s - time.monotonic())
            assert message is not None, (self.code, self.told[-5:])
            if message["type"] == kind:
                return message
        raise AssertionError(f"no {kind}: {self.told[-5:]}")

    def rest(self) -> list[dict[str, Any]]:
        """Hear until the connection is closed."""
        while self.hear() is not None:
            pass
        return self.told

    def send(self, sound: bytes, *, chunk_bytes: int = CHUNK_BYTES, pace: float | None = None) -> None:
        """Send sound in chunks; `pace` 1 is real time."""
        for at in range(0, len(sound), chunk_bytes):
            self.socket.send(sound[at : at + chunk_bytes])
            if pace:
                time.sleep(chunk_bytes / 2 / RATE_HZ / pace)

    def say(self, **message: Any) -> None:
        """Send a text message."""
        self.socket.send(json.dumps(message))

    def stop(self) -> None:
        self.say(type="stop")

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.told if message["type"] == kind]

    def drop(self) -> None:
        """Vanish without a word."""
        self.socket.socket.close()


def texts_of(told: Sequence[dict[str, Any]]) -> list[str]:
    """The texts of the finals, as told."""
    return [message["segment"]["text"] for message in told if message["type"] == "final"]


def refused(talk: Talk) -> tuple[str, int | None]:
    """The code of the last error, and the code of the close."""
    told = talk.rest()
    return told[-1]["code"], talk.code
