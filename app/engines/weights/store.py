"""The folder of the weights: how fetched ones come into it and go out of it, each in one step."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.engines.weights import manifest
from app.engines.weights.errors import WeightsError, while_writing
from app.engines.weights.manifest import Condition, Manifest

INCOMING = ".incoming"
"""Where things lie that are not whole yet. In the same folder, so that they can be moved in one step."""


class Store:
    """One weights folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @contextmanager
    def incoming(self, engine: str, model: str) -> Iterator[Path]:
        """A folder for work on one model's weights, which nobody else has meanwhile; what is left in it stays.

        Raises:
            WeightsError: another process is at work on them.
        """
        folder = self.root / INCOMING / engine / model
        with while_writing(f"{engine} {model}"):
            folder.mkdir(parents=True, exist_ok=True)
        with (folder / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise WeightsError(f"Another process is at work on {engine} {model}") from None
            try:
                yield folder
            finally:
                if len(list(folder.glob("*"))) <= 1:
                    self.clear(engine, model)

    def install(self, engine: str, model: str, ready: Path, place: str, source: str) -> Manifest:
        """Move a whole file or folder to `place` (a path from the root), instead of what was there, and note it."""
        target = self.root / place
        target.parent.mkdir(parents=True, exist_ok=True)
        with while_writing(f"{engine} {model}"):
            note = manifest.path_of(self.root, engine, model)
            # Without one, what is halfway in place is never taken for whole.
            note.unlink(missing_ok=True)
            self._put_away(engine, model, target)
            ready.replace(target)
            made = manifest.described(self.root, target, source)
            manifest.write(note, made)
        self.clear(engine, model)
        return made

    def remove(self, engine: str, model: str, path: Path | None) -> None:
        """Take weights out: what the manifest names, or what lies at `path` if there is none.

        Raises:
            WeightsError: there is nothing, or it is not in this folder.
        """
        note = manifest.path_of(self.root, engine, model)
        found = manifest.find(note)
        target = self.root / found.place if found else path
        if target is None:
            raise WeightsError(f"There are no weights of {engine} {model} here")
        if not target.is_relative_to(self.root):
            raise WeightsError(f"The weights of {engine} {model} belong to an installed package, not to this folder")
        with self.incoming(engine, model):
            self._put_away(engine, model, target)
            note.unlink(missing_ok=True)
            self.clear(engine, model)

    def condition(self, engine: str, model: str, *, verify: bool = False) -> Condition:
        """What the manifest tells about weights that are here, or should be."""
        found = manifest.find(manifest.path_of(self.root, engine, model))
        return found.condition(self.root, verify=verify) if found else Condition.BY_HAND

    def clear(self, engine: str, model: str) -> None:
        """Throw away what is left of the work on a model."""
        shutil.rmtree(self.root / INCOMING / engine / model, ignore_errors=True)

    def _put_away(self, engine: str, model: str, target: Path) -> None:
        """Out of the engines' sight in one step; deleting a folder takes many."""
        if target.exists() or target.is_symlink():
            aside = self.root / INCOMING / engine / model / "old"
            shutil.rmtree(aside, ignore_errors=True)
            target.replace(aside)
