"""Where to look for voices: windows that cover the pieces in which one person speaks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.engines.embedded.pieces import Piece

Integers = npt.NDArray[np.int64]
MIN_FRAMES = 10


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows of at most `width` frames of 10 ms; `starts`, ascending, and `widths` are frames, both of shape (n,)."""

    width: int
    starts: Integers
    widths: Integers

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def centres(self) -> npt.NDArray[np.float64]:
        """The middle of each, in frames, shape (n,)."""
        return self.starts + self.widths / 2


def place(pieces: Sequence[Piece], *, width: int, hop: int) -> Windows:
    """Windows over each piece with one voice, at most `hop` frames apart, that do not reach beyond it."""
    placed = [pair for piece in pieces if piece.is_one_voice for pair in _over(piece, width, hop)]
    starts, widths = np.array(placed, np.int64).reshape(-1, 2).T
    return Windows(width, starts, widths)


def _over(piece: Piece, width: int, hop: int) -> list[tuple[int, int]]:
    if len(piece) < MIN_FRAMES:
        return []
    if len(piece) <= width:
        return [(piece.start, len(piece))]
    count = max(2, -(-(len(piece) - width) // hop) + 1)
    return [(start, width) for start in np.linspace(piece.start, piece.end - width, count).astype(int).tolist()]
