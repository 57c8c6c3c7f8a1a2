"""What one speaker says in one session and is told of it; whatever they are told that must not be is noted at once."""

import time
from dataclasses import dataclass, field
from typing import Any

from app.audio.live.base import OPUS
from app.domain.live import StreamSpec
from tests.live import CHUNK_BYTES, as_opus, speech

COMES_BACK_AFTER = frozenset({"unavailable", "stream_lost", "no_capacity", "idle_timeout"})
"""Errors that tell a client of no mistake of its own: it comes back, or opens another session."""

Message = dict[str, Any]


@dataclass(eq=False)
class Speech:
    """Known words, said in one session. Positions are bytes of its sound; `away_s` is its longest time unconnected."""

    n_utterances: int
    first_hz: int
    spec: StreamSpec
    job_id: str = ""
    token: str = ""
    position: int = 0
    n_connections: int = 0
    away_s: float = 0.0
    finals: list[Message] = field(default_factory=list)
    completed: Message | None = None
    broken: list[str] = field(default_factory=list)
    """Promises, in words."""

    def __post_init__(self) -> None:
        samples = speech(self.n_utterances, first_hz=self.first_hz)
        self.sound = as_opus(samples) if self.spec.encoding == OPUS else samples
        self._chunk_bytes = len(self.sound) * CHUNK_BYTES // len(samples)
        self._sent = self._forgotten = 0
        self._lost_s: float | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to be said or heard, well or not."""
        return self.completed is not None or bool(self.broken)

    @property
    def query(self) -> dict[str, str]:
        """What to connect with: to a new session, or to the same one again."""
        if self.job_id:
            return {"job_uuid": self.job_id, "resume_token": self.token, "after": str(len(self.finals))}
        return {"encoding": self.spec.encoding, "keepAudio": str(self.spec.keep_audio).lower()}

    def next(self) -> bytes:
        """The 100 ms of sound that come next; nothing after the end."""
        chunk = self.sound[self.position : self.position + self._chunk_bytes]
        self.position += len(chunk)
        self._sent = max(self._sent, self.position)
        return chunk

    def hear(self, message: Message) -> None:
        """Take something that was told."""
        match message["type"]:
            case "ready":
                self._ready(message)
            case "ack":
                self._forget(message["committed"])
            case "partial" if message["seq"] <= len(self.finals):
                self._blame(f"what may be said in {message['seq']} was told after it was said for good")
            case "final":
                self._final(message)
            case "completed":
                self.completed = message
            case "error" if message["code"] not in COMES_BACK_AFTER:
                self._blame(f"an error was told: {message}")

    def lost(self) -> None:
        """The connection is over, or did not come about."""
        self._lost_s = self._lost_s or time.monotonic()

    def refused(self, status: int) -> None:
        """The handshake was answered with this status."""
        if status < 500:
            self._blame(f"its speaker came back and was refused with {status}")

    def _ready(self, message: Message) -> None:
        if self.job_id not in {"", message["job_uuid"]}:
            self._blame(f"another session answered: {message['job_uuid']}")
        self.job_id, self.token = message["job_uuid"], message["resume_token"]
        self.n_connections += 1
        if self._lost_s is not None and self.n_connections > 1:
            self.away_s = max(self.away_s, time.monotonic() - self._lost_s)
        self._lost_s = None
        self._forget(message["committed"])
        self.position = message["received"] * self.spec.bytes_per_unit
        if not self._forgotten <= self.position <= self._sent:
            told = f"{self._forgotten} bytes may be forgotten, {self._sent} were sent"
            self._blame(f"it is said to hold {self.position} bytes where {told}")

    def _forget(self, committed: int) -> None:
        committed_bytes = committed * self.spec.bytes_per_unit
        if committed_bytes > self._sent:
            self._blame(f"{committed_bytes} bytes are committed, of {self._sent} sent")
        self._forgotten = max(self._forgotten, committed_bytes)

    def _final(self, message: Message) -> None:
        if message["seq"] != len(self.finals) + 1:
            self._blame(f"final {message['seq']} was told after final {len(self.finals)}")
        self.finals.append(message)

    def _blame(self, what: str) -> None:
        self.broken.append(f"{self.job_id}: {what}")
