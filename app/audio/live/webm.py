"""Opus in WebM, element by element, as it comes (RFC 8794, RFC 9559).

Elements that hold others are merely entered, so it does not matter that a recorder knows the size of neither its
segment nor its clusters, and reading may begin at any block.
"""

from app.audio.live.packets import MAX_HEADER_BYTES, OpusPacket, unreadable

MAGIC = b"\x1a\x45\xdf\xa3"
SEGMENT, TRACKS, TRACK, CLUSTER, BLOCK_GROUP = 0x18538067, 0x1654AE6B, 0xAE, 0x1F43B675, 0xA0
HOLDERS = frozenset((SEGMENT, TRACKS, TRACK, CLUSTER, BLOCK_GROUP))
NUMBER, CODEC, CODEC_PRIVATE = 0xD7, 0x86, 0x63A2
BLOCK, SIMPLE_BLOCK = 0xA1, 0xA3
WANTED = frozenset((NUMBER, CODEC, CODEC_PRIVATE, BLOCK, SIMPLE_BLOCK))
MAX_ELEMENT_BYTES = 1_048_576
LACED = 0x06


class WebmDemuxer:
    """A `Demuxer`; `byte` is the offset of the first byte it is fed."""

    def __init__(self, byte: int) -> None:
        self.header = self.head = b""
        self._byte = byte
        self._pending = b""
        self._n_skipped = 0
        self._track: dict[int, bytes] = {}
        self._number: int | None = None

    def feed(self, data: bytes) -> list[OpusPacket]:
        """See `Demuxer`."""
        self._pending += data
        packets = []
        while (step := self._next()) is not None:
            if step.data:
                packets.append(step)
        return packets

    def _next(self) -> OpusPacket | None:
        """Go on by one element; None: more bytes are needed. A packet without data: it was none."""
        if self._n_skipped:
            return self._skip()
        element = _number(self._pending, 0, keep_marker=True)
        if element is None or element[0] is None:
            return None
        size = _number(self._pending, element[1], keep_marker=False)
        if size is None:
            return None
        return self._enter(element[0], size[0], size[1])

    def _enter(self, element: int, n_bytes: int | None, n_front: int) -> OpusPacket | None:
        if element in HOLDERS:
            self._begin(element)
            return self._advanced(n_front)
        if n_bytes is None:
            raise unreadable("an element has no end")
        if element not in WANTED:
            self._n_skipped = n_bytes
            return self._advanced(n_front)
        if n_bytes > MAX_ELEMENT_BYTES:
            raise unreadable("an element is too large")
        if len(self._pending) < n_front + n_bytes:
            return None
        packet = self._take(element, self._pending[n_front : n_front + n_bytes])
        self._advanced(n_front + n_bytes)
        return packet

    def _begin(self, element: int) -> None:
        if element == TRACK:
            self._choose()
            self._track = {}
        if element == CLUSTER and self._number is None:
            self._choose()
            if self._number is None:
                raise unreadable("it has no track of Opus")

    def _choose(self) -> None:
        """The first track of Opus is the one."""
        if self._number is None and self._track.get(CODEC, b"").rstrip(b"\0") == b"A_OPUS":
            self._number = int.from_bytes(self._track.get(NUMBER, b"\1"), "big")
            self.head = self._track.get(CODEC_PRIVATE, b"")

    def _take(self, element: int, body: bytes) -> OpusPacket:
        if element not in (BLOCK, SIMPLE_BLOCK):
            self._track[element] = body
            return _NONE
        if self._number is None:
            self._choose()
        number = _number(body, 0, keep_marker=False)
        if number is None or number[0] != self._number or len(body) < number[1] + 3:
            return _NONE
        if body[number[1] + 2] & LACED:
            raise unreadable("its blocks are laced")
        return OpusPacket(body[number[1] + 3 :], self._byte)

    def _advanced(self, n_bytes: int) -> OpusPacket:
        if self._number is None:
            self.header += self._pending[:n_bytes]
            if len(self.header) > MAX_HEADER_BYTES:
                raise unreadable("its header has no end")
        self._pending = self._pending[n_bytes:]
        self._byte += n_bytes
        return _NONE

    def _skip(self) -> OpusPacket | None:
        n_bytes = min(self._n_skipped, len(self._pending))
        self._n_skipped -= n_bytes
        return self._advanced(n_bytes) if n_bytes else None


_NONE = OpusPacket(b"", None)


def _number(data: bytes, at: int, *, keep_marker: bool) -> tuple[int | None, int] | None:
    """A number of variable length and where it ends; None: it is not all here. Its value is None if unknown."""
    if at >= len(data):
        return None
    n_bytes = 9 - data[at].bit_length()
    if n_bytes > (4 if keep_marker else 8):
        raise unreadable("an element has no name")
    if at + n_bytes > len(data):
        return None
    value = int.from_bytes(data[at : at + n_bytes], "big")
    if keep_marker:
        return value, at + n_bytes
    value &= (1 << 7 * n_bytes) - 1
    return (None if value == (1 << 7 * n_bytes) - 1 else value), at + n_bytes
