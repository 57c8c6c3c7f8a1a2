"""One launcher for one var dir."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.embedded.errors import LaunchError


@contextmanager
def held(var_dir: Path) -> Iterator[None]:
    """Hold the var dir for the length of the block; the kernel lets go of it with the process.

    Raises:
        LaunchError: another launcher holds it.
    """
    var_dir.mkdir(parents=True, exist_ok=True)
    with (var_dir / "launcher.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LaunchError(
                f"Parloir already runs on {var_dir} (stop it first, or set VAR_DIR to another folder)."
            ) from None
        yield
