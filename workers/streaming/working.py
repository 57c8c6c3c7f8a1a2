"""What a child is at, told through shared memory: it can be read even when the child is dead or hangs."""

import mmap
import os
import struct
from dataclasses import dataclass

FORMAT = struct.Struct("QQQ")


@dataclass(frozen=True, slots=True)
class At:
    """The session worked on (0: none), the count of pieces of work so far, and whether weights are being loaded."""

    sid: int
    tick: int
    is_loading: bool


class Working:
    """24 bytes that both processes see. The supervisor makes them; the child is given the file's number."""

    def __init__(self, fd: int | None = None) -> None:
        self.fd = os.memfd_create("working") if fd is None else fd
        if fd is None:
            os.ftruncate(self.fd, FORMAT.size)
        self._memory = mmap.mmap(self.fd, FORMAT.size)
        self._tick = 0

    def on(self, sid: int, *, loading: bool = False) -> None:
        """The child: from now on at this session; 0: at none. Each time is a sign of life."""
        self._tick += 1
        FORMAT.pack_into(self._memory, 0, sid, self._tick, loading)

    def at(self) -> At:
        """The supervisor: what the child is at."""
        sid, tick, loading = FORMAT.unpack_from(self._memory, 0)
        return At(sid, tick, bool(loading))

    def close(self) -> None:
        """Give it back."""
        self._memory.close()
        os.close(self.fd)
