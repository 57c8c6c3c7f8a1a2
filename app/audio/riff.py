"""What the header of a WAV file says, without decoding it (Microsoft RIFF; EBU Tech 3306 for RF64)."""

import struct
from dataclasses import dataclass

SIGNATURES = (b"RIFF", b"RF64", b"BW64")
UNKNOWN_BYTES = 0x7FFF_0000
"""Writers that cannot go back to fill in the length leave 2 or 4 GiB, more or less; so do we not believe it."""
MAX_CHUNKS = 64


@dataclass(frozen=True, slots=True)
class WavHeader:
    """`data_bytes` is how much sound the header promises; None if it does not know."""

    bytes_per_s: int
    data_bytes: int | None

    @property
    def declared_s(self) -> float | None:
        """How long the header says that the sound is."""
        return self.data_bytes / self.bytes_per_s if self.data_bytes and self.bytes_per_s else None


def wav_header(head: bytes) -> WavHeader | None:
    """The header of a WAV file of which `head` is the beginning; None if no sound begins within it."""
    bytes_per_s, long_bytes, at = 0, None, 12
    for _ in range(MAX_CHUNKS):
        kind, size = head[at : at + 4], _uint32(head, at + 4)
        if size is None:
            break
        if kind == b"data":
            return WavHeader(bytes_per_s, _data_bytes(size, long_bytes))
        if kind == b"fmt ":
            bytes_per_s = _uint32(head, at + 16) or 0
        elif kind == b"ds64":
            long_bytes = _uint64(head, at + 16)
        at += 8 + size + size % 2
    return None


def _data_bytes(size: int, long_bytes: int | None) -> int | None:
    if size == 0xFFFF_FFFF and long_bytes:
        return long_bytes
    return size if 0 < size < UNKNOWN_BYTES else None


def _uint32(head: bytes, at: int) -> int | None:
    return struct.unpack_from("<I", head, at)[0] if at + 4 <= len(head) else None


def _uint64(head: bytes, at: int) -> int | None:
    return struct.unpack_from("<Q", head, at)[0] if at + 8 <= len(head) else None
