"""Opus in Ogg, page by page, as it comes (RFC 3533, RFC 7845)."""

from app.audio.live.packets import MAX_HEADER_BYTES, OpusPacket, unreadable

MAGIC = b"OggS"
PAGE_HEADER = 27
CONTINUED = 1
N_HEADER_PACKETS = 2
FULL = 255
"""A segment this long is not the last of its packet."""


class OggDemuxer:
    """A `Demuxer`; `byte` is the offset of the first byte it is fed."""

    def __init__(self, byte: int) -> None:
        self.header = self.head = b""
        self._byte = byte
        self._pending = b""
        self._begun = b""
        self._n_packets = 0

    def feed(self, data: bytes) -> list[OpusPacket]:
        """See `Demuxer`."""
        self._pending += data
        packets: list[OpusPacket] = []
        while n_bytes := self._page_bytes():
            page, self._pending = self._pending[:n_bytes], self._pending[n_bytes:]
            packets += self._packets(page)
            self._byte += n_bytes
        return packets

    def _page_bytes(self) -> int:
        """The length of the page that is next, 0 while it is not all here."""
        if not MAGIC.startswith(self._pending[:4]) and not self._pending.startswith(MAGIC):
            raise unreadable("a page of Ogg is missing")
        if len(self._pending) < PAGE_HEADER or len(self._pending) < PAGE_HEADER + self._pending[26]:
            return 0
        n_bytes = PAGE_HEADER + self._pending[26] + sum(self._pending[PAGE_HEADER : PAGE_HEADER + self._pending[26]])
        return n_bytes if len(self._pending) >= n_bytes else 0

    def _packets(self, page: bytes) -> list[OpusPacket]:
        is_whole = not page[5] & CONTINUED
        found = self._split(page)
        if self._n_packets < N_HEADER_PACKETS:
            return self._take_header(page, found)
        return [OpusPacket(data, self._byte if i == 0 and is_whole else None) for i, data in enumerate(found)]

    def _split(self, page: bytes) -> list[bytes]:
        """The packets that end on this page."""
        found, at = [], PAGE_HEADER + page[26]
        for size in page[PAGE_HEADER : PAGE_HEADER + page[26]]:
            self._begun += page[at : at + size]
            at += size
            if size < FULL:
                found.append(self._begun)
                self._begun = b""
        return found

    def _take_header(self, page: bytes, found: list[bytes]) -> list[OpusPacket]:
        """The first two packets, which stand on pages of their own."""
        if not self._n_packets and found:
            self.head = found[0]
        self.header += page
        self._n_packets += len(found)
        if len(self.header) > MAX_HEADER_BYTES:
            raise unreadable("its header has no end")
        return []
