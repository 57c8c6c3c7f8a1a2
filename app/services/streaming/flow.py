"""How far a client may run ahead of the worker that hears it."""

from app.domain.live import StreamSpec

AHEAD_S, RESUME_S = 10.0, 5.0
OPUS_BYTES_PER_S = 16_000
"""What a browser's recorder writes at most by default (128 kbit/s); how long its bytes are cannot be told from them."""


class Flow:
    """Paused when more than `AHEAD_S` of sound is unread, until no more than `RESUME_S` is. Positions are bytes."""

    def __init__(self, spec: StreamSpec, position: int) -> None:
        self._bytes_per_s = OPUS_BYTES_PER_S if spec.encoding == "opus" else spec.rate_hz * spec.bytes_per_unit
        self._read = position
        self.is_paused = False

    def read(self, position: int) -> None:
        """The worker has heard what is before this position."""
        self._read = max(self._read, position)

    def look(self, received: int) -> bool:
        """Whether this changes something: the client is to pause now, or may go on."""
        ahead_s = (received - self._read) / self._bytes_per_s
        before = self.is_paused
        self.is_paused = ahead_s > (RESUME_S if self.is_paused else AHEAD_S)
        return self.is_paused is not before
