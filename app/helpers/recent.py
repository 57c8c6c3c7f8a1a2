"""Answers that may be a moment old."""

import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """Keeps each answer for `keep_s` seconds, and at most `max_n` of them. Threads may share it."""

    def __init__(self, keep_s: float, max_n: int = 1000, clock: Callable[[], float] = time.monotonic) -> None:
        self._keep_s = keep_s
        self._max_n = max_n
        self._clock = clock
        self._kept: dict[Key, tuple[float, Value]] = {}

    def get(self, key: Key) -> Value | None:
        """The answer that was kept, unless it is too old."""
        until, value = self._kept.get(key, (0.0, None))
        return value if self._clock() < until else None

    def keep(self, key: Key, value: Value) -> None:
        """Keep an answer."""
        if len(self._kept) >= self._max_n:
            self._kept.clear()
        self._kept[key] = (self._clock() + self._keep_s, value)

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
