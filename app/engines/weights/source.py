"""Where an engine's weights come from."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from app.engines.weights.download import Progress


@dataclass(frozen=True, slots=True)
class Ready:
    """Weights that are whole and checked: where they lie, where they belong, whence they came."""

    path: Path
    place: str
    """From the weights folder, as `<engine>/<file or folder>`."""
    url: str


class Source(Protocol):
    """Fetches the weights of one engine."""

    engine: str

    def resolve(self, asked: str) -> str:
        """The name of the model that `asked` means.

        Raises:
            UnknownWeights: none; says what there is.
            WeightsError: the list of what there is cannot be had.
        """

    def fetch(self, model: str, folder: Path, progress: Progress) -> Ready:
        """Fetch a model's weights into `folder`, going on with what lies there from an earlier time.

        Raises:
            WeightsError: they cannot be had, or are not what was published.
            NoRoom: the disk is full.
        """
