"""Sound that a client keeps until it is committed, so that whatever breaks, it can be sent again."""

import threading

MOST_AHEAD_BYTES = 4 * 1024 * 1024
"""What is taken from a source ahead of being sent."""


class KeptSound:
    """Filled at its end by a source, read at any place by whoever sends. Positions are bytes from the start."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._data = bytearray()
        self._start = self._sent = 0
        self._is_complete = self._is_closed = False

    def add(self, chunk: bytes) -> None:
        """Keep more; waits while much is not sent yet."""
        with self._changed:
            self._data += chunk
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._is_closed or self._end - self._sent <= MOST_AHEAD_BYTES)

    def complete(self) -> None:
        """There is no more."""
        with self._changed:
            self._is_complete = True
            self._changed.notify_all()

    def close(self) -> None:
        """Nobody reads any more: nobody waits either."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def drop_before(self, byte: int) -> None:
        """What is before this place is never needed again."""
        with self._changed:
            n = min(max(0, byte - self._start), len(self._data))
            del self._data[:n]
            self._start += n

    def read(self, byte: int, most: int, timeout_s: float) -> bytes | None:
        """Up to `most` bytes from this place on; empty if none came in time, None when all is read."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_complete or self._end > byte, timeout_s)
            self._sent = max(self._sent, byte)
            self._changed.notify_all()
            if self._is_complete and byte >= self._end:
                return None
            at = byte - self._start
            return bytes(self._data[at : at + most])

    @property
    def _end(self) -> int:
        return self._start + len(self._data)
