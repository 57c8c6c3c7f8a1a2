"""Translating sentences by their English words, as gettext does; with places for what they are filled in with."""

import re
from collections.abc import Mapping

PLACE = re.compile(r"\\\{(\w+)\\\}")


class Phrases:
    """Sentences and how they go in another language.

    Both hold places, `{name}`. What fills a place is translated too, if it is a known phrase itself.
    """

    def __init__(self, phrases: Mapping[str, str]) -> None:
        self._whole = {known: said for known, said in phrases.items() if "{" not in known}
        self._patterns = [(_pattern(known), said) for known, said in phrases.items() if "{" in known]

    def translate(self, message: str) -> str:
        """The message in the other language, or as it is if it is not known."""
        if message in self._whole:
            return self._whole[message]
        for pattern, said in self._patterns:
            found = pattern.fullmatch(message)
            if found:
                return said.format_map({name: self.translate(value) for name, value in found.groupdict().items()})
        return message


def _pattern(phrase: str) -> re.Pattern[str]:
    return re.compile(PLACE.sub(r"(?P<\1>.*?)", re.escape(phrase)), re.DOTALL)
