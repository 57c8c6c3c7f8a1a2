"""Makes segments that read well as subtitles out of an engine's bare stream of words."""

from collections.abc import Iterator, Sequence
from statistics import fmean

from app.domain.transcript import Segment, Word

PAUSE_S = 0.6
"""A pause this long ends a segment."""
MAX_WORDS = 12
"""More do not fit into the two lines of a subtitle."""
MIN_WORDS = 3
"""A cut that is not at a pause leaves no fewer on either side."""


def segments_of(words: Sequence[Word], *, keep_words: bool) -> Iterator[Segment]:
    """The words, in order of time, as segments; their confidence is the mean of the words'."""
    for phrase in _phrases(words):
        told = [word.confidence for word in phrase if word.confidence is not None]
        yield Segment(
            id=0,
            start_s=phrase[0].start_s,
            end_s=phrase[-1].end_s,
            text=" ".join(word.word for word in phrase),
            confidence=fmean(told) if told else None,
            words=tuple(phrase) if keep_words else (),
        )


def _phrases(words: Sequence[Word]) -> Iterator[Sequence[Word]]:
    first = 0
    for i in range(1, len(words) + 1):
        if i == len(words) or _gap_s(words, i) >= PAUSE_S:
            yield from _shortened(words[first:i])
            first = i


def _shortened(words: Sequence[Word]) -> Iterator[Sequence[Word]]:
    """`words` cut at their longest pauses until no piece is too long; in the middle if nobody paused."""
    if len(words) <= MAX_WORDS:
        if words:
            yield words
        return
    middle = len(words) / 2
    cuts = range(MIN_WORDS, len(words) - MIN_WORDS + 1)
    cut = max(cuts, key=lambda i: (round(_gap_s(words, i), 2), -abs(i - middle)))
    yield from _shortened(words[:cut])
    yield from _shortened(words[cut:])


def _gap_s(words: Sequence[Word], i: int) -> float:
    return words[i].start_s - words[i - 1].end_s
