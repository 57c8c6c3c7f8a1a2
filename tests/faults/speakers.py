"""People who speak live while everything breaks: they come back wherever an API is up, and go on where it says."""

import json
import random
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlencode

from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.frames import Frame, Opcode
from websockets.sync.client import ClientConnection, connect

from app.audio.live.base import OPUS, PCM_S16LE
from app.domain.live import StreamSpec
from tests.faults.speech import Speech
from tests.http_api import ServedApi
from tests.live import CHUNK_BYTES, RATE_HZ
from tests.live_socket import STREAM

CHUNK_S = CHUNK_BYTES / 2 / RATE_HZ
PAUSE_S = 0.3
ENCODINGS = (PCM_S16LE, PCM_S16LE, OPUS)
SHORTLY_S, FOR_LONG_S = 4.0, 30.0
"""How long a client is away that comes back in time, and one that has vanished."""


class Speakers:
    """Each gives one speech after the other, until they are asked to come to an end."""

    def __init__(self, apis: Sequence[ServedApi], seed: int, n: int) -> None:
        self._chance = random.Random(f"{seed} speakers")
        self._all = [Speaker(apis, random.Random(f"{seed} speaker {i}"), first_hz=300 + 10 * i) for i in range(n)]

    @property
    def speeches(self) -> list[Speech]:
        """All that were begun."""
        return [speech for speaker in self._all for speech in list(speaker.speeches)]

    def start(self) -> None:
        for speaker in self._all:
            speaker.thread.start()

    def finish(self) -> None:
        """Begin no other speech."""
        for speaker in self._all:
            speaker.is_last = True

    def are_done(self) -> bool:
        return not any(speaker.thread.is_alive() for speaker in self._all)

    def live_cut(self) -> None:
        """Fault: every connection breaks in the middle of a frame."""
        for speaker in self._all:
            speaker.is_to_be_cut = True

    def live_client_gone(self) -> None:
        """Fault: somebody's client vanishes; some come back in time."""
        self._chance.choice(self._all).leaves_for_s = self._chance.choice((SHORTLY_S, FOR_LONG_S))


@dataclass(eq=False)
class Speaker:
    """One person, in a thread."""

    apis: Sequence[ServedApi]
    chance: random.Random
    first_hz: int
    speeches: list[Speech] = field(default_factory=list)
    is_last: bool = False
    is_to_be_cut: bool = False
    leaves_for_s: float = 0.0

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._speak_on, daemon=True)

    def _speak_on(self) -> None:
        while not self.is_last:
            spec = StreamSpec(self.chance.choice(ENCODINGS), keep_audio=self.chance.random() < 0.5)
            self.speeches.append(Speech(self.chance.randint(2, 7), self.first_hz, spec))
            self._speak(self.speeches[-1])

    def _speak(self, speech: Speech) -> None:
        pace = self.chance.choice((1, 2))
        while not speech.is_over:
            with suppress(OSError, WebSocketException):
                self._connect(speech, CHUNK_S / pace)
            speech.lost()
            leaves_for_s, self.leaves_for_s = self.leaves_for_s, 0.0
            if not speech.is_over:
                time.sleep(leaves_for_s or PAUSE_S)

    def _connect(self, speech: Speech, apart_s: float) -> None:
        url = self.chance.choice(self.apis).url.replace("http", "ws", 1)
        try:
            socket = connect(f"{url}{STREAM}?{urlencode(speech.query)}", close_timeout=1, max_size=None)
        except InvalidStatus as error:
            speech.refused(error.response.status_code)
            return
        with socket, suppress(ConnectionClosed):
            Conversation(self, speech, socket, apart_s).hold()


@dataclass(eq=False)
class Conversation:
    """One connection: chunks `apart_s` after each other, from where it is told to go on."""

    speaker: Speaker
    speech: Speech
    socket: ClientConnection
    apart_s: float
    may_send: bool = False
    has_stopped: bool = False
    due_s: float = 0.0

    def hold(self) -> None:
        """Speak and listen until the speech or the connection is over."""
        while not self.speech.is_over:
            self._hear(max(0.0, self.due_s - time.monotonic()))
            if self.speaker.leaves_for_s or self.speaker.is_to_be_cut:
                self._cut()
                return
            if self.may_send and not self.has_stopped and time.monotonic() >= self.due_s:
                self._send()

    def _hear(self, timeout_s: float) -> None:
        with suppress(TimeoutError):
            message = json.loads(self.socket.recv(timeout_s if self.may_send and not self.has_stopped else PAUSE_S))
            self.speech.hear(message)
            if message["type"] == "ready" or message.get("action") == "resume":
                self.may_send = True
            elif message.get("action") == "pause":
                self.may_send = False

    def _send(self) -> None:
        self.due_s = max(self.due_s, time.monotonic() - 1.0) + self.apart_s
        if chunk := self.speech.next():
            self.socket.send(chunk)
            return
        self.has_stopped = True
        self.socket.send('{"type":"stop"}')

    def _cut(self) -> None:
        """End it in the middle of a frame."""
        self.speaker.is_to_be_cut = False
        frame = Frame(Opcode.BINARY, self.speech.next() or b"\0\0").serialize(mask=True)
        self.socket.socket.sendall(frame[: len(frame) // 2])
        self.socket.socket.shutdown(2)
