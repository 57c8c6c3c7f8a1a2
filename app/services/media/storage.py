"""Where recordings are kept."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol


@dataclass(frozen=True, slots=True)
class StoredAudio:
    """A recording that is safe: on disk and synced. `head` is its first bytes, for telling what it is."""

    key: str
    sha256: str
    size_bytes: int
    head: bytes


class Upload(Protocol):
    """A recording on its way in: a file to write to, then kept or dropped."""

    def write(self, data: bytes) -> int:
        """Take some bytes.

        Raises:
            StorageFull: no room is left.
            TooLarge: more than is allowed.
        """

    def keep(self) -> StoredAudio:
        """Make it safe: when this returns, a power cut does not lose it.

        Raises:
            StorageFull: no room is left.
        """

    def drop(self) -> None:
        """Forget it; harmless after `keep` or twice."""


class Storage(Protocol):
    """A place for recordings."""

    def receive(self, limit_bytes: int) -> Upload:
        """Begin to take in a recording of at most `limit_bytes`."""

    def open(self, key: str) -> BinaryIO:
        """Open a recording for reading, seekable.

        Raises:
            NotFound: no such recording.
        """

    def local_path(self, key: str) -> AbstractContextManager[Path]:
        """The recording as a file on this machine, while the block lasts.

        Raises:
            NotFound: no such recording.
        """

    def duplicate(self, key: str) -> str:
        """Keep the recording under a second key too, which lives on when the first is removed; returns it.

        Raises:
            NotFound: no such recording.
            StorageFull: no room is left.
        """

    def delete(self, key: str) -> None:
        """Remove a recording; harmless if it is gone already."""
