"""Text that no format, database or terminal stumbles over."""

import unicodedata

_UNSAFE = {"Cc", "Cs"}
"""Control characters, and surrogates without their other half: neither can be written as UTF-8 text."""


def plain(text: str) -> str:
    """The text on one line: runs of white space become one space, unsafe characters go."""
    spaced = " ".join(text.split())
    if spaced.isprintable():
        return spaced
    safe = "".join(character for character in spaced if unicodedata.category(character) not in _UNSAFE)
    return " ".join(safe.split())
