"""A client of live sessions that loses nothing: it keeps what is not committed, comes back, and goes on."""

import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from itertools import chain
from typing import Any
from urllib.parse import urlencode

from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect

from app.cli.listening.kept import KeptSound

PATH = "/api/streamingTranscription/stream"
SAMPLE_BYTES = 2
CHUNK_BYTES = 3_200
LOOK_EVERY_S = 1.0
OUTAGE_S = 60.0
"""How long the service may be away before it is given up."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 3.0
SERVER_ERROR = 1011
MAY_COME_BACK = frozenset({"no_capacity", "too_many_sessions", "idle_timeout", "slow_reader", "unavailable"})

Message = dict[str, Any]


class Refused(Exception):
    """The service does not do this, and would not the next time; the message is its own."""


class Unreachable(Exception):
    """Nobody answers, or not as the service would."""


class LiveClient:
    """One session of 16-bit sound at 16 kHz. `hear` is called with each partial, final and error, finals once each."""

    def __init__(self, server: str, options: Mapping[str, str], hear: Callable[[Message], None]) -> None:
        self._url = "ws" + server.rstrip("/").removeprefix("http") + PATH
        self._options = dict(options)
        self._hear = hear
        self._kept = KeptSound()
        self._session: dict[str, str] = {}
        self._after = 0
        self._position = 0
        self._may_send = threading.Event()
        self._error: Message | None = None
        self._done: Message | None = None
        self._source_error: Exception | None = None

    def run(self, chunks: Iterable[bytes]) -> str:
        """Send it all and hear it all; returns the transcription.

        Raises:
            Refused, Unreachable: see there.
            Exception: whatever the source of the sound raises.
        """
        source = iter(chunks)
        first = next(source, b"")  # what cannot be heard at all is told before anybody is asked
        threading.Thread(target=self._fill, args=(chain([first], source),), name="sound", daemon=True).start()
        deadline_s, pause_s = time.monotonic() + OUTAGE_S, FIRST_PAUSE_S
        try:
            while self._done is None:
                if self._connection():
                    deadline_s, pause_s = time.monotonic() + OUTAGE_S, FIRST_PAUSE_S
                elif time.monotonic() > deadline_s:
                    raise Unreachable(self._told() or f"no answer from {self._url}")
                if self._done is None:
                    time.sleep(pause_s)
                    pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
        finally:
            self._kept.close()
        if self._source_error:
            raise self._source_error
        return str(self._done["transcription"])

    def _fill(self, chunks: Iterable[bytes]) -> None:
        try:
            for chunk in chunks:
                self._kept.add(chunk)
        except Exception as error:  # noqa: BLE001 - raised where the caller is, after all that came before it
            self._source_error = error
        finally:
            self._kept.complete()

    def _connection(self) -> bool:
        """Connect and go on until the connection ends; whether the session was reached."""
        query = {**self._session, "after": str(self._after)} if self._session else self._options
        self._error = None
        was_ready = False
        try:
            with connect(
                f"{self._url}?{urlencode(query)}", additional_headers={"Accept-Language": "en"}, close_timeout=2
            ) as socket:
                was_ready = self._converse(socket)
        except InvalidStatus as error:
            self._refuse_for_good(error)
        except BrokenPipeError:
            raise  # of who hears us
        except (OSError, WebSocketException):
            return was_ready
        return was_ready

    def _converse(self, socket: ClientConnection) -> bool:
        was_ready = False
        is_over = threading.Event()
        sender = threading.Thread(target=self._send, args=(socket, is_over), name="sender", daemon=True)
        try:
            for text in socket:
                message: Message = json.loads(text)
                self._take(message)
                if message["type"] == "ready":
                    was_ready = True
                    sender.start()
        except ConnectionClosed as closed:
            self._refuse_if_final(closed.rcvd.code if closed.rcvd else SERVER_ERROR)
        finally:
            is_over.set()
            self._may_send.set()
            if was_ready:
                sender.join(2 * LOOK_EVERY_S)
        return was_ready

    def _take(self, message: Message) -> None:
        kind = message["type"]
        if kind == "ready":
            self._session = {"job_uuid": message["job_uuid"], "resume_token": message["resume_token"]}
            self._position = message["received"] * SAMPLE_BYTES
            self._may_send.set()
        if kind in {"ready", "ack"}:
            self._kept.drop_before(message["committed"] * SAMPLE_BYTES)
        if kind == "flow":
            self._may_send.clear() if message["action"] == "pause" else self._may_send.set()
        if kind == "completed":
            self._done = message
        if kind == "error":
            self._error = message
        if kind == "final":
            self._after = message["seq"]
        if kind in {"partial", "final"}:
            self._hear(message)

    def _send(self, socket: ClientConnection, is_over: threading.Event) -> None:
        with suppress(ConnectionClosed, OSError):
            while not is_over.is_set():
                self._may_send.wait()
                chunk = self._kept.read(self._position, CHUNK_BYTES, LOOK_EVERY_S)
                if chunk is None:
                    socket.send('{"type":"stop"}')
                    return
                if chunk:
                    socket.send(chunk)
                    self._position += len(chunk)

    def _refuse_if_final(self, close_code: int) -> None:
        if self._error and close_code != SERVER_ERROR and self._error["code"] not in MAY_COME_BACK:
            raise Refused(self._told())

    def _refuse_for_good(self, error: InvalidStatus) -> None:
        status = error.response.status_code
        if status < 500:
            raise Unreachable(f"{self._url} answers with status {status}") from error

    def _told(self) -> str:
        if self._error is None:
            return ""
        fields = self._error.get("errors", {})
        told = " ".join(f"{name}: {text}" for name, texts in fields.items() for text in texts)
        return told or str(self._error["message"])
