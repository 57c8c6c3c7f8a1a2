"""The recordings that come with the project."""

from collections.abc import Sequence
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "assets" / "demo"
KINDS = {".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".webm"}


def demo_files() -> Sequence[Path]:
    """They, in order; a name may begin with the language spoken (`en-…`)."""
    return sorted(path for path in FOLDER.glob("*") if path.suffix in KINDS)
