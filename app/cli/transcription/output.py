"""Where transcripts go: standard output, a folder, or beside the recordings."""

import os
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from app.cli.transcription.asked import FileFailed, WrongRequest


def targets(files: Sequence[Path], folder: Path | None, extension: str, *, is_beside: bool) -> list[Path | None]:
    """For each recording the file its transcript goes to; None is standard output.

    Raises:
        WrongRequest: two transcripts would go to one file, or one over a recording.
    """
    if folder is None and not is_beside:
        return [None] * len(files)
    found = [(folder or path.parent) / f"{path.stem}{extension}" for path in files]
    _refuse_doubles(files, found)
    return list(found)


def write(text: str, target: Path | None) -> None:
    """Write a transcript as UTF-8; a file is there whole or not at all.

    Raises:
        FileFailed: it cannot be written.
    """
    content = text.encode("utf-8", errors="replace")
    if target is None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    try:
        _write_whole(content, target)
    except OSError as error:
        raise FileFailed(f"cannot write {target}: {error.strerror}") from error


def _write_whole(content: bytes, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    draft = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        draft.chmod(0o666 & ~_umask())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def _umask() -> int:
    """The mask that new files get; it can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _refuse_doubles(files: Iterable[Path], found: Iterable[Path]) -> None:
    taken = {path.absolute(): path for path in files}
    for path, target in zip(files, found, strict=True):
        other = taken.get(target.absolute())
        if other is not None:
            raise WrongRequest(
                f"{target}, the transcript of {path}, would overwrite that of {other}, or the file itself"
            )
        taken[target.absolute()] = path
