"""A progress bar on standard error."""

import sys
from types import TracebackType
from typing import Any, Self

_FORM = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}"


class Bar:
    """The fraction of one file that is done; shows nothing if it is not wanted."""

    def __init__(self, name: str, *, is_shown: bool) -> None:
        self._name = name
        self._is_shown = is_shown
        self._bar: Any = None

    def __enter__(self) -> Self:
        if self._is_shown:
            from tqdm import tqdm

            self._bar = tqdm(total=1.0, desc=self._name, bar_format=_FORM, file=sys.stderr, leave=False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def at(self, fraction: float) -> None:
        """Show that this much is done, 0…1."""
        if self._bar is not None and fraction > self._bar.n:
            self._bar.update(fraction - self._bar.n)
