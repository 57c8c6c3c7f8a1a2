"""Rows that come a few at a time, kept in one piece.

Many small arrays that stay, made between large ones that go, leave holes in memory that nothing fits in.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

FIRST = 4096


class Rows:
    """Rows of `n_columns` numbers each, one after the other."""

    def __init__(self, n_columns: int, dtype: type[np.generic]) -> None:
        self._rows: npt.NDArray[Any] = np.zeros((FIRST, n_columns), dtype)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def extend(self, rows: npt.NDArray[Any]) -> None:
        """These come next, shape (m, n_columns)."""
        first = self._count
        self.grow(first + len(rows))
        self._rows[first : self._count] = rows

    def grow(self, count: int) -> None:
        """There are at least so many, new ones 0."""
        if count > len(self._rows):
            larger = np.zeros((max(count, 2 * len(self._rows)), self._rows.shape[1]), self._rows.dtype)
            larger[: self._count] = self._rows[: self._count]
            self._rows = larger
        self._count = max(self._count, count)

    def all(self) -> npt.NDArray[Any]:
        """All of them, shape (n, n_columns): no copy, so what is written there stays."""
        return self._rows[: self._count]
