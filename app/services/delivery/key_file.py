"""The key that signs messages where no secret is set: made once, kept in a file that only we can read."""

import base64
import os
import secrets
from pathlib import Path
from uuid import uuid4

from app.services.delivery.signing import PREFIX

KEY_BYTES = 32


def kept_secret(path: Path) -> str:
    """The secret in this file; of several processes that find none, one makes it and all get the same.

    Raises:
        OSError: it can neither be read nor made.
    """
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        _make(path)
        return path.read_text(encoding="ascii").strip()


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{uuid4().hex}")
    _write(draft, PREFIX + base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode())
    try:
        # A link is made whole or not at all, and not over a file that another process has put there meanwhile.
        path.hardlink_to(draft)
    except FileExistsError:
        return
    finally:
        draft.unlink()


def _write(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(descriptor)
