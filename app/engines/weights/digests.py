"""Checksums of files, without reading them into memory."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from app.engines.weights.errors import WeightsError


@dataclass(frozen=True, slots=True)
class Digest:
    """What a file must hash to. `algorithm` is one that hashlib knows, or `git` for the id of a git blob."""

    algorithm: str
    hexdigest: str

    def check(self, path: Path, what: str) -> None:
        """Do nothing if the file is right.

        Raises:
            WeightsError: it is not.
        """
        if digest_of(path, self.algorithm) != self.hexdigest.lower():
            raise WeightsError(f"{what} is not what was published ({self.algorithm} differs); it was thrown away")


def digest_of(path: Path, algorithm: str = "sha256") -> str:
    """The hexdigest of a file's content."""
    if algorithm == "git":
        state = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
    else:
        # MD5 is what Vosk publishes; it finds damage, which is what it is for here.
        state = hashlib.new(algorithm, usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            state.update(block)
    return state.hexdigest()
