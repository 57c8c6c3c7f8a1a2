"""What turns a client's bytes into sound while they arrive."""

from dataclasses import dataclass
from typing import Protocol

from app.audio.sound import Pcm

PCM_S16LE = "pcm_s16le"
PCM_F32LE = "pcm_f32le"
MULAW = "mulaw"
OPUS = "opus"
ENCODINGS = (PCM_S16LE, PCM_F32LE, MULAW, OPUS)
MIN_RATE_HZ = 8_000
MAX_RATE_HZ = 48_000


@dataclass(frozen=True, slots=True)
class RestartPoint:
    """A place in the client's stream where decoding may begin.

    `byte` is the offset of the first byte to feed, `sample` the absolute position at 16 kHz of the first sample
    that comes of it, `header` what the container said in the beginning, which the decoder takes in first by itself.
    """

    byte: int = 0
    sample: int = 0
    header: bytes = b""


class LiveDecoder(Protocol):
    """Follows one stream of bytes from a restart point on. However they are cut, the samples are the same."""

    def feed(self, data: bytes) -> Pcm:
        """The sound that is complete with these bytes, shape (n,), n ≥ 0; what is incomplete is kept.

        Raises:
            MediaUnreadable: this is not the encoding that was announced.
        """

    def flush(self) -> Pcm:
        """The sound still held, at the end of the stream."""

    def close(self) -> None:
        """Give back what it holds."""

    def restart_at(self, sample: int) -> RestartPoint:
        """The latest point from which a new decoder gives everything from absolute `sample` on, as this one did.

        Its first samples may lie before `sample`, and differ from what was given before; leave them out. Points
        before the one that is returned are forgotten: ask with rising positions.
        """


class Decoding(Protocol):
    """A `LiveDecoder` that may be elsewhere: each question is answered some time, and the next is asked only then."""

    @property
    def fd(self) -> int | None:
        """What can be read when there may be an answer; None if there always is one."""

    def feed(self, data: bytes) -> None:
        """Ask for the sound that is complete with these bytes."""

    def flush(self) -> None:
        """Ask for the sound still held, at the end of the stream."""

    def answer(self) -> Pcm | None:
        """The sound that was asked for; None if it is not there yet.

        Raises:
            MediaUnreadable: this is not the encoding that was announced.
        """

    def is_overdue(self) -> bool:
        """Whether the answer takes so long that asking for it now would fail."""

    def restart_at(self, sample: int) -> RestartPoint:
        """See `LiveDecoder`."""

    def close(self) -> None:
        """Give back what it holds."""
