"""Dataclasses that go between processes by the thousand."""

from typing import Any


class QuickPickle:
    """A base for frozen dataclasses with slots: their own pickling goes through every field by name, both ways."""

    __slots__ = ()
    __match_args__: tuple[str, ...]

    def __reduce__(self) -> tuple[Any, ...]:
        """Made again from the values of its fields; `__match_args__` are their names, as dataclasses keep them."""
        return type(self), tuple([getattr(self, name) for name in self.__match_args__])
