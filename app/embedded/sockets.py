"""Where the servers' Unix sockets are: a short path, for the kernel takes 107 bytes and no more."""

import hashlib
import os
import stat
import tempfile
from pathlib import Path

from app.embedded.errors import LaunchError
from app.embedded.identity import Identity

MAX_DIR_BYTES = 107 - len("/.s.PGSQL.5432")


def socket_dir(var_dir: Path, identity: Identity | None) -> Path:
    """The folder for the sockets of this var dir, the same at each start.

    Raises:
        LaunchError: somebody else made a folder of that name.
    """
    name = f"parloir-{hashlib.sha256(os.fsencode(var_dir.absolute())).hexdigest()[:12]}"
    path = Path(tempfile.gettempdir()) / name
    if len(os.fsencode(path)) > MAX_DIR_BYTES:
        path = Path("/tmp") / name  # noqa: S108 - it is checked to be ours
    if path.is_symlink() or (path.exists() and not _is_ours(path, identity)):
        raise LaunchError(f"{path} belongs to somebody else; remove it, or set TMPDIR to a folder of your own.")
    return path


def remove_if_empty(path: Path) -> None:
    """Remove the folder once the last of the servers has left it."""
    if path.exists() and not any(path.iterdir()):
        path.rmdir()


def _is_ours(path: Path, identity: Identity | None) -> bool:
    status = path.lstat()
    ours = {os.geteuid(), identity.uid if identity else os.geteuid()}
    return stat.S_ISDIR(status.st_mode) and status.st_uid in ours
