"""Recordings in a folder."""

import errno
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from app.domain.errors import NotFound, StorageFull, TooLarge, Unavailable
from app.services.media.storage import StoredAudio

HEAD_BYTES = 64 * 1024
SYNC_EVERY_BYTES = 32 * 1024 * 1024
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


Offload = Callable[[Callable[[], None]], None]
"""Runs something slow where it holds up nobody else (another thread, in a process that serves many at once)."""


def _at_once(action: Callable[[], None]) -> None:
    action()


class FolderStorage:
    """A folder: `incoming/` for what is on its way, `ab/abcd…` for what is kept."""

    def __init__(self, folder: Path, offload: Offload = _at_once) -> None:
        self._folder = folder
        self._incoming = folder / "incoming"
        self._offload = offload

    def receive(self, limit_bytes: int) -> "FolderUpload":
        """Begin to take in a recording of at most `limit_bytes`."""
        key = uuid4().hex
        with _storage_errors():
            self._incoming.mkdir(parents=True, exist_ok=True)
            return FolderUpload(key, self._incoming / key, self._path(key), limit_bytes, self._offload)

    def open(self, key: str) -> BinaryIO:
        """Open a recording for reading, seekable."""
        try:
            return self._path(key).open("rb")
        except FileNotFoundError as error:
            raise NotFound(what="recording") from error

    @contextmanager
    def local_path(self, key: str) -> Iterator[Path]:
        """The recording's own file."""
        path = self._path(key)
        if not path.exists():
            raise NotFound(what="recording")
        yield path

    def duplicate(self, key: str) -> str:
        """Give the file a second name: takes no room."""
        second = uuid4().hex
        path = self._path(second)
        with _storage_errors():
            path.parent.mkdir(exist_ok=True)
            try:
                path.hardlink_to(self._path(key))
            except FileNotFoundError as error:
                raise NotFound(what="recording") from error
            except PermissionError:  # a file system without such links
                shutil.copyfile(self._path(key), path)
            _sync_folder(path.parent)
        return second

    def delete(self, key: str) -> None:
        """Remove a recording; harmless if it is gone already."""
        self._path(key).unlink(missing_ok=True)

    def sweep_incoming(self, older_than_s: float) -> int:
        """Remove uploads that nobody has written to for so long; returns how many."""
        if not self._incoming.exists():
            return 0
        stale = [path for path in self._incoming.iterdir() if _age_s(path) > older_than_s]
        for path in stale:
            path.unlink(missing_ok=True)
        return len(stale)

    def kept_keys(self, older_than_s: float) -> Iterator[str]:
        """The keys of the recordings that were written so long ago, in no order."""
        for path in self._folder.glob("[0-9a-f][0-9a-f]/*"):
            if _age_s(path) > older_than_s:
                yield path.name

    def space(self) -> tuple[int, int]:
        """Free bytes and all bytes of the disk that holds the folder, which need not be there yet."""
        there = next(path for path in (self._folder, *self._folder.absolute().parents) if path.exists())
        usage = shutil.disk_usage(there)
        return usage.free, usage.total

    def _path(self, key: str) -> Path:
        return self._folder / f"{key[:2]}/{key}"


class FolderUpload:
    """A file in `incoming/` that becomes a recording when it is complete and synced.

    Synced piecemeal, so that the last sync is short, and giving way between pieces, so that one upload does not
    keep others from being served.
    """

    def __init__(self, key: str, path: Path, final: Path, limit_bytes: int, offload: Offload) -> None:
        self._offload = offload
        self._key, self._path, self._final = key, path, final
        self._limit_bytes = limit_bytes
        self._file = path.open("wb", buffering=0)
        self._hash = hashlib.sha256()
        self._size = 0
        self._synced = 0
        self._head = b""

    def write(self, data: bytes) -> int:
        """Take some bytes."""
        if self._size + len(data) > self._limit_bytes:
            raise TooLarge(limit=self._limit_bytes)
        with _storage_errors():
            self._write_all(memoryview(data))
        self._hash.update(data)
        self._size += len(data)
        if len(self._head) < HEAD_BYTES:
            self._head += data[: HEAD_BYTES - len(self._head)]
        if self._size - self._synced >= SYNC_EVERY_BYTES:
            self._sync()
        time.sleep(0)
        return len(data)

    def _write_all(self, data: memoryview) -> None:
        # An almost full disk takes a part of what it is given and says so only by the count.
        while data:
            data = data[self._file.write(data) :]

    def keep(self) -> StoredAudio:
        """Sync it, put it in its place, sync the folder."""
        self._sync()
        self._file.close()
        with _storage_errors():
            self._offload(self._put_in_place)
        return StoredAudio(self._key, self._hash.hexdigest(), self._size, self._head)

    def drop(self) -> None:
        """Forget it; harmless after `keep` or twice."""
        self._file.close()
        self._path.unlink(missing_ok=True)

    def _put_in_place(self) -> None:
        self._final.parent.mkdir(exist_ok=True)
        self._path.replace(self._final)
        _sync_folder(self._final.parent)
        _sync_folder(self._final.parent.parent)

    def _sync(self) -> None:
        with _storage_errors():
            self._offload(lambda: os.fsync(self._file.fileno()))
        self._synced = self._size


def _age_s(path: Path) -> float:
    """Seconds since it was written; 0 if it has just gone."""
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


@contextmanager
def _storage_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise StorageFull(service="storage") from error
        raise Unavailable(service="storage") from error


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
