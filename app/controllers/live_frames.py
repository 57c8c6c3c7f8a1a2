"""The frames of a live WebSocket, as `websockets` understands them without doing any I/O."""

import time
from collections.abc import Callable
from typing import Any

from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import CLOSED, OPEN, Protocol, Side

from app.controllers.sound_frames import may_be_sound, sound_in, wire_bytes

MAX_MESSAGE_BYTES = 1024 * 1024
LINGER_S = 10.0
"""How long a client that goes on sending after a close is listened to, so that it can find the close."""

Explain = Callable[[int, str], str]
"""What to tell a client before the connection fails with this close code, for this reason."""


class LiveFrames(Protocol):
    """One connection's frames, already upgraded. Before it fails, the client is told why in a message."""

    def __init__(self, explain: Explain) -> None:
        super().__init__(Side.SERVER, state=OPEN, max_size=MAX_MESSAGE_BYTES)
        self._explain = explain
        self._parts: list[bytes] = []
        self._is_text = False
        self._closing_s: float | None = None
        self._begun = b""
        self._n_unframed = 0

    @property
    def has_closed(self) -> bool:
        """Whether neither side has anything more to say."""
        return (self.eof_sent and self.close_rcvd is not None) or self.state is CLOSED

    @property
    def is_overdue(self) -> bool:
        """Whether the client has had long enough to find that this is closed."""
        if self.state is OPEN:
            return False
        self._closing_s = self._closing_s or time.monotonic()
        return time.monotonic() > self._closing_s + LINGER_S

    def sound(self, data: bytes) -> list[bytes] | None:
        """The messages that these bytes complete, if all of it is sound; None: `understood` has to look at them.

        Nothing but the one who reads is to call it; it says nothing and leaves the connection as it is.
        """
        if not data or self._n_unframed or self._parts or self.state is not OPEN:
            return None
        messages, begun = sound_in(self._begun + data if self._begun else data)
        if begun and not may_be_sound(begun):
            return None
        self._begun = begun
        return messages

    def understood(self, data: bytes) -> list[Frame]:
        """The frames that these bytes complete; no bytes: the client is gone."""
        whole, self._begun = self._begun + data, b""
        if whole:
            self.receive_data(whole)
        if not data:
            self.receive_eof()
        frames: list[Any] = self.events_received()
        # Not zero in the middle of a frame. Lengths that are written longer than they need be leave it so for good.
        self._n_unframed += len(whole) - sum(map(wire_bytes, frames))
        return frames

    def message(self, frame: Frame) -> bytes | str | None:
        """The message that this frame completes, if it does."""
        if frame.opcode is not Opcode.CONT:
            self._is_text = frame.opcode is Opcode.TEXT
        self._parts.append(bytes(frame.data))
        if not frame.fin:
            return None
        whole, self._parts = b"".join(self._parts), []
        return whole.decode("utf-8", "replace") if self._is_text else whole

    def fail(self, code: Any, reason: str = "") -> None:
        """See `Protocol`."""
        if self.state is OPEN and code != CloseCode.ABNORMAL_CLOSURE:
            self.send_text(self._explain(int(code), reason).encode())
        super().fail(code, reason)
