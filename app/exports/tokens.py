"""A segment as tokens with times: the smallest pieces of its text that a line may be broken between."""

import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise

from app.domain.transcript import Segment, Word
from app.exports.plain import plain

_CLINGS_TO_LAST = {"Pe", "Pf", "Po", "Mn", "Mc", "Cf"}
_HOLDS_NEXT = {"Ps", "Pi"}
_UNSPACED = (
    (0x3040, 0x30FF),
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)
"""Kana and Han, written without spaces between words. Hangul is wide as well, but has spaces."""


@dataclass(frozen=True, slots=True)
class Token:
    """A word, or one character of a script written without spaces; `spaced`: a space goes before it."""

    text: str
    start_s: float
    end_s: float
    spaced: bool = True


def timed_tokens(segment: Segment) -> list[Token]:
    """The segment's text in tokens, timed by its words if they spell the same text, else by length.

    Starts never go back, and no token ends before it starts.
    """
    pieces = list(_pieces(segment.text or " ".join(word.word for word in segment.words)))
    timeline = _Timeline(_anchors(segment, pieces))
    return list(_placed(pieces, timeline))


def joined(tokens: Iterable[Token]) -> str:
    """The tokens as one line."""
    line = ""
    for token in tokens:
        line += f" {token.text}" if token.spaced and line else token.text
    return line


def width(text: str) -> int:
    """How many columns the text takes: the wide characters of East Asian scripts take two."""
    return len(text) if text.isascii() else sum(2 if _is_wide(character) else 1 for character in text)


def _pieces(text: str) -> Iterator[tuple[str, bool]]:
    for chunk in plain(text).split():
        spaced = True
        for piece in _broken(chunk):
            yield piece, spaced
            spaced = False


def _broken(chunk: str) -> list[str]:
    """The chunk cut around kana and Han; brackets and marks stay with what they belong to."""
    pieces = [chunk[0]]
    for before, character in pairwise(chunk):
        if _may_part(before, character):
            pieces.append(character)
        else:
            pieces[-1] += character
    return pieces


def _may_part(before: str, character: str) -> bool:
    if not (_is_unspaced(before) or _is_unspaced(character)):
        return False
    return unicodedata.category(before) not in _HOLDS_NEXT and unicodedata.category(character) not in _CLINGS_TO_LAST


def _is_unspaced(character: str) -> bool:
    return any(first <= ord(character) <= last for first, last in _UNSPACED)


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"


def _anchors(segment: Segment, pieces: list[tuple[str, bool]]) -> list[Word]:
    """The words, without spaces inside, if together they spell the pieces; else the segment as one word."""
    spelling = "".join(piece for piece, _ in pieces)
    words = [Word("".join(plain(word.word).split()), word.start_s, word.end_s) for word in segment.words]
    if "".join(word.word for word in words) == spelling:
        return [word for word in words if word.word]
    return [Word(spelling, segment.start_s, segment.end_s)]


def _placed(pieces: list[tuple[str, bool]], timeline: "_Timeline") -> Iterator[Token]:
    at, floor_s = 0, 0.0
    for text, spaced in pieces:
        start_s = max(floor_s, timeline.start_s(at))
        at += len(text)
        yield Token(text, start_s, max(start_s, timeline.end_s(at - 1)), spaced)
        floor_s = start_s


class _Timeline:
    """When each character of some words is said; within a word, each takes the same time."""

    def __init__(self, words: list[Word]) -> None:
        self._words = words
        self._offsets = [0, *accumulate(len(word.word) for word in words)]

    def start_s(self, at: int) -> float:
        word, share = self._find(at)
        return word.start_s + share * (word.end_s - word.start_s)

    def end_s(self, at: int) -> float:
        word, share = self._find(at)
        share += 1 / len(word.word)
        return word.end_s if share > 0.999 else word.start_s + share * (word.end_s - word.start_s)

    def _find(self, at: int) -> tuple[Word, float]:
        index = bisect_right(self._offsets, at) - 1
        word = self._words[index]
        return word, (at - self._offsets[index]) / len(word.word)
