"""Which words of hypotheses that follow each other can be relied on: those on which two in a row agree.

LocalAgreement-2 (Macháček, Dabre, Bojar 2023, Turning Whisper into Real-Time Transcription System).
"""

import re
from collections.abc import Sequence
from itertools import takewhile

_PUNCTUATION = re.compile(r"[^\w']+")


class Agreement:
    """Follows the hypotheses about one utterance."""

    def __init__(self) -> None:
        self._agreed: list[str] = []
        self._last: list[str] = []

    def update(self, text: str) -> str:
        """The new hypothesis with what was agreed before in its place: those words no longer change."""
        words = text.split()
        agreed = _common(self._last, words)
        if agreed > len(self._agreed):
            self._agreed += words[len(self._agreed) : agreed]
        self._last = words
        return " ".join([*self._agreed, *words[len(self._agreed) :]])


def _common(first: Sequence[str], second: Sequence[str]) -> int:
    """How many words both begin with; capitals and punctuation come and go."""
    pairs = zip(map(_plain, first), map(_plain, second), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _plain(word: str) -> str:
    return _PUNCTUATION.sub("", word.lower())
