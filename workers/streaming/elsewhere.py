"""Sessions whose sound is being decoded in processes of their own, and that have no turn before it is there."""

import select
from collections.abc import Iterator

from app.audio.live.base import Decoding

LOOK_EVERY_MS = 250
"""How often it is looked whether one takes too long."""


class Elsewhere:
    """They are waited for together with whatever else `heard` waits for."""

    def __init__(self, heard: select.poll) -> None:
        self._heard = heard
        self._waiting: dict[int, tuple[int, Decoding]] = {}

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def await_(self, sid: int, decoding: Decoding) -> None:
        """A session was told that the answer is not there yet."""
        if (fd := decoding.fd) is not None:
            self._waiting[fd] = (sid, decoding)
            self._heard.register(fd, select.POLLIN)

    def answered(self, fd: int) -> Iterator[int]:
        """The session, if it has not left since, that something was heard for here: it is not waited for any more."""
        if fd in self._waiting:
            self._heard.unregister(fd)
            sid, _ = self._waiting.pop(fd)
            yield sid

    def overdue(self) -> Iterator[int]:
        """Sessions whose decoders take too long; they are not waited for any more."""
        for fd in [fd for fd, (_, decoding) in self._waiting.items() if decoding.is_overdue()]:
            yield from self.answered(fd)

    def forget(self, sid: int) -> None:
        """A session leaves; its decoder is still open."""
        for fd in [fd for fd, (waiting, _) in self._waiting.items() if waiting == sid]:
            self._heard.unregister(fd)
            del self._waiting[fd]
