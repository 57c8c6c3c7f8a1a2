"""Sound that comes bit by bit (signed 16-bit, 16 kHz only)."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from app.audio.sound import Pcm


@dataclass(frozen=True, slots=True)
class RestartPoint:
    """Where decoding may begin: at `byte`, with `header` put before, comes the sound from `sample` on."""

    byte: int
    sample: int
    header: bytes = b""


class LiveDecoder(Protocol):
    """Bytes to samples."""

    def feed(self, data: bytes) -> Pcm:
        """Whatever sound is complete."""

    def flush(self) -> Pcm:
        """What is left at the end of the stream."""

    def restart_at(self, sample: int) -> RestartPoint:
        """The latest point from which a new decoder gives everything from absolute `sample` on."""


class _S16:
    def __init__(self, start: RestartPoint) -> None:
        self._rest = b""
        self._start = start

    def feed(self, data: bytes) -> Pcm:
        data = self._rest + data
        n = len(data) // 2 * 2
        self._rest = data[n:]
        return np.frombuffer(data[:n], "<i2").astype(np.float32) / np.float32(32768)

    def flush(self) -> Pcm:
        return np.empty(0, np.float32)

    def restart_at(self, sample: int) -> RestartPoint:
        return RestartPoint(self._start.byte + 2 * (sample - self._start.sample), sample)


def make_live_decoder(encoding: str, rate_hz: int, start: RestartPoint) -> LiveDecoder:  # noqa: ARG001
    """A decoder."""
    return _S16(start)
