"""What was fetched, file by file, so that it can be told later whether all of it is still there.

`<weights>/.manifests/<engine>/<model>.json` holds
`{"source": "…", "files": {"vosk/…/final.mdl": {"size_bytes": 1, "sha256": "…"}}}`, with paths from `<weights>`.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from app.engines.weights.digests import digest_of

FOLDER = ".manifests"


class Condition(StrEnum):
    """What can be told about weights."""

    COMPLETE = "complete"
    DAMAGED = "damaged"
    BY_HAND = "by hand"
    """Here, but not fetched by this program: there is nothing to compare with."""
    INSTALLED = "installed"
    """Part of a package that is installed."""


@dataclass(frozen=True, slots=True)
class FileFact:
    """How a file was when it came."""

    size_bytes: int
    sha256: str

    def fits(self, path: Path, *, verify: bool) -> bool:
        """Whether the file is as it was; by size alone, unless `verify`."""
        if not path.is_file() or path.stat().st_size != self.size_bytes:
            return False
        return not verify or digest_of(path) == self.sha256


@dataclass(frozen=True, slots=True)
class Manifest:
    """Where weights came from and what they consist of; `files` by path from the weights folder."""

    source: str
    files: dict[str, FileFact]

    def condition(self, weights_dir: Path, *, verify: bool) -> Condition:
        """Whether everything is there; `verify` reads all of it."""
        fit = all(fact.fits(weights_dir / name, verify=verify) for name, fact in self.files.items())
        return Condition.COMPLETE if fit else Condition.DAMAGED

    @property
    def place(self) -> Path:
        """The one file or folder that all of it is in: `<engine>/<file or folder>`."""
        return Path(*Path(next(iter(self.files))).parts[:2])

    @property
    def size_bytes(self) -> int:
        """All files together."""
        return sum(fact.size_bytes for fact in self.files.values())


def described(weights_dir: Path, placed: Path, source: str) -> Manifest:
    """The manifest of a file or folder that is in place."""
    paths = [path for path in sorted(placed.rglob("*")) if path.is_file()] if placed.is_dir() else [placed]
    facts = {_name(weights_dir, path): FileFact(path.stat().st_size, digest_of(path)) for path in paths}
    return Manifest(source, facts)


def path_of(weights_dir: Path, engine: str, model: str) -> Path:
    """Where the manifest of a model is."""
    return weights_dir / FOLDER / engine / f"{model}.json"


def write(path: Path, manifest: Manifest) -> None:
    """Store a manifest, all or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(asdict(manifest), indent=1), encoding="utf-8")
    part.replace(path)


def find(path: Path) -> Manifest | None:
    """The manifest stored at `path`, if there is one that can be read."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        files = {name: FileFact(**fact) for name, fact in stored["files"].items()}
        return Manifest(stored["source"], files) if files else None
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        # One that cannot be read says no more than none: the weights then count as put there by hand.
        return None


def noted(weights_dir: Path) -> Iterator[tuple[str, str]]:
    """Engine and model of each manifest, ascending."""
    for path in sorted((weights_dir / FOLDER).glob("*/*.json")):
        yield path.parent.name, path.name.removesuffix(".json")


def _name(weights_dir: Path, path: Path) -> str:
    return path.relative_to(weights_dir).as_posix()
