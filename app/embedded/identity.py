"""Who the embedded servers run as: PostgreSQL refuses to be root."""

import os
import pwd
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

UNPRIVILEGED_USER = "nobody"


@dataclass(frozen=True, slots=True)
class Identity:
    """A user to become; `reaches_all`: folders on the way to its files are closed to it, so it needs a key."""

    uid: int
    gid: int
    reaches_all: bool

    def __str__(self) -> str:
        return f"{self.uid}:{self.gid}:{int(self.reaches_all)}"


def server_identity(data_dir: Path, programs: Iterable[Path]) -> Identity | None:
    """The user for a server on `data_dir`: whoever owns it already; None if there is no need to change.

    Only root changes user; a folder that is root's own, or not there yet, becomes the unprivileged user's.
    """
    if os.geteuid() != 0:
        return None
    uid, gid = _owner(data_dir)
    reaches_all = not all(_is_open(folder) for path in (data_dir, *programs) for folder in path.absolute().parents)
    return Identity(uid, gid, reaches_all)


def make_private_dir(path: Path, identity: Identity | None) -> None:
    """Make a folder that only its owner may look into, owned by `identity`."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if identity:
        os.chown(path, identity.uid, identity.gid)


def _owner(data_dir: Path) -> tuple[int, int]:
    if data_dir.exists() and data_dir.stat().st_uid != 0:
        return data_dir.stat().st_uid, data_dir.stat().st_gid
    user = pwd.getpwnam(UNPRIVILEGED_USER)
    return user.pw_uid, user.pw_gid


def _is_open(folder: Path) -> bool:
    return not folder.exists() or bool(folder.stat().st_mode & stat.S_IXOTH)
