"""What the two containers of a browser's MediaRecorder have in common: they carry packets of Opus."""

from dataclasses import dataclass
from typing import Protocol

from app.domain.errors import MediaUnreadable

MAX_HEADER_BYTES = 65_536
"""A recorder's header has some hundred bytes; what goes on for longer is something else."""
_FRAME_48K = (480, 960, 1920, 2880) * 3 + (480, 960) * 2 + (120, 240, 480, 960) * 4
"""Samples of a frame for each configuration (RFC 6716, table 2)."""


@dataclass(frozen=True, slots=True)
class OpusPacket:
    """One packet. `byte` is where in the client's stream reading may begin with it; None: not here."""

    data: bytes
    byte: int | None


class Demuxer(Protocol):
    """Follows the bytes of one container."""

    header: bytes
    """Everything before the first packet, once that is there."""
    head: bytes
    """The `OpusHead` (RFC 7845, section 5.1)."""

    def feed(self, data: bytes) -> list[OpusPacket]:
        """The packets that are complete with these bytes.

        Raises:
            MediaUnreadable: this is not such a container.
        """


def n_samples_of(packet: bytes) -> int:
    """How many samples at 48 kHz a packet stands for (RFC 6716, section 3.1); 0: it is damaged."""
    if not packet:
        return 0
    code = packet[0] & 3
    if code == 3 and len(packet) < 2:
        return 0
    n_frames = (1, 2, 2, packet[1] & 63 if len(packet) > 1 else 0)[code]
    n_samples = n_frames * _FRAME_48K[packet[0] >> 3]
    return n_samples if n_samples <= 5_760 else 0


def unreadable(why: str) -> MediaUnreadable:
    """The error of a stream that is not what was announced."""
    return MediaUnreadable(reason=f"the stream is not Opus in WebM or Ogg ({why})")
