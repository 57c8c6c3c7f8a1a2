"""Cuts what was decoded as one piece into lines of a sentence or so, by its words.

A batch is decoded without times between its sentences (see `CTranslateNet`), so half a minute comes as one
segment: too long to read as a subtitle, or to tell who said it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from app.engines.whisper_segments import Decoded, DecodedWord

SENTENCE_ENDS = (".", "!", "?", "…", "。", "!", "?", "؟", "।")
PAUSE_S = 0.8
MIN_LINE_S = 1.0
"""Shorter ones are more often an abbreviation ("Dr.") than a sentence."""


def lines(decoded: Decoded) -> Iterator[Decoded]:
    """The same in lines that end at the end of a sentence or before a pause; whole, if it has no words."""
    if not decoded.words:
        yield decoded
        return
    start = 0
    for i in range(1, len(decoded.words)):
        if _breaks(decoded.words, start, i):
            yield _line(decoded, decoded.words[start:i])
            start = i
    yield _line(decoded, decoded.words[start:])


def _breaks(words: Sequence[DecodedWord], start: int, i: int) -> bool:
    """Whether the line begun at word `start` ends before word `i`."""
    last = words[i - 1]
    if words[i].start_s - last.end_s >= PAUSE_S:
        return True
    return last.text.rstrip().endswith(SENTENCE_ENDS) and last.end_s - words[start].start_s >= MIN_LINE_S


def _line(decoded: Decoded, words: tuple[DecodedWord, ...]) -> Decoded:
    text = "".join(word.text for word in words)
    return replace(decoded, text=text, start_s=words[0].start_s, end_s=words[-1].end_s, words=words)
