"""Decoding that takes no time worth waiting for, in this process."""

from app.audio.live.base import LiveDecoder, RestartPoint
from app.audio.sound import Pcm


class DecodingHere:
    """A `Decoding` whose answer is there as soon as it was asked for."""

    fd: int | None = None

    def __init__(self, decoder: LiveDecoder) -> None:
        self._decoder = decoder
        self._answer: Pcm | None = None

    def feed(self, data: bytes) -> None:
        """See `Decoding`; raises as `LiveDecoder.feed` does."""
        self._answer = self._decoder.feed(data)

    def flush(self) -> None:
        """See `Decoding`."""
        self._answer = self._decoder.flush()

    def answer(self) -> Pcm | None:
        """See `Decoding`."""
        return self._answer

    def is_overdue(self) -> bool:
        """Never."""
        return False

    def restart_at(self, sample: int) -> RestartPoint:
        """See `Decoding`."""
        return self._decoder.restart_at(sample)

    def close(self) -> None:
        """See `Decoding`."""
        self._decoder.close()
