"""Unpacks a model's archive without trusting it."""

import shutil
import stat
import zlib
from pathlib import Path, PurePosixPath
from zipfile import BadZipFile, ZipFile, ZipInfo

from app.engines.weights.errors import NoRoom, WeightsError, while_writing

MAX_RATIO = 100
"""No model packs better than this; a bomb does."""


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack a zip into a new `folder`; returns the one folder that is in it.

    Raises:
        WeightsError: it is no zip, is damaged, holds anything but one folder, or would write outside of it.
        NoRoom: the disk is full.
    """
    shutil.rmtree(folder, ignore_errors=True)
    try:
        with while_writing(archive.name), ZipFile(archive) as opened:
            _check(opened, archive)
            opened.extractall(folder)
        return _only_folder(folder)
    except (BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise WeightsError(f"{archive.name} cannot be unpacked: {error}") from error


def _check(opened: ZipFile, archive: Path) -> None:
    entries = opened.infolist()
    if any(_is_hostile(entry) for entry in entries):
        raise WeightsError(f"{archive.name} would write outside of its folder; it was not unpacked")
    n_bytes = sum(entry.file_size for entry in entries)
    if n_bytes > MAX_RATIO * archive.stat().st_size:
        raise WeightsError(f"{archive.name} would unpack to {n_bytes / 1e6:.0f} MB; it was not unpacked")
    if n_bytes > shutil.disk_usage(archive.parent).free:
        raise NoRoom(f"There is no room on the disk to unpack {archive.name}: {n_bytes / 1e6:.0f} MB are needed")


def _is_hostile(entry: ZipInfo) -> bool:
    path = PurePosixPath(entry.filename.replace("\\", "/"))
    kind = stat.S_IFMT(entry.external_attr >> 16)
    return path.is_absolute() or ".." in path.parts or ":" in path.name or kind not in (0, stat.S_IFREG, stat.S_IFDIR)


def _only_folder(folder: Path) -> Path:
    found = list(folder.iterdir()) if folder.is_dir() else []
    if len(found) != 1 or not found[0].is_dir():
        raise WeightsError("The archive does not hold exactly one folder, as a model's does")
    return found[0]
