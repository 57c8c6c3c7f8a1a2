"""Puts what an engine heard in its place: within the speech, and never where nobody spoke."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from app.domain.transcript import Segment, Word
from app.exports.plain import plain


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of time, in seconds."""

    start_s: float
    end_s: float


def within_speech(segment: Segment, speech: Sequence[Stretch]) -> Segment | None:
    """The segment with its times, and its words' times, clipped to the speech that they touch.

    Words that touch none were made up and are left out of the text as well; None if nothing is left.
    `speech` is in order of time.
    """
    if not segment.text:
        return None
    if not segment.words:
        return _clipped_segment(segment, speech)
    placed = [_clipped_word(word, speech) for word in segment.words]
    words = tuple(word for word in placed if word is not None)
    if not words:
        return None
    text = segment.text if len(words) == len(placed) else _text_of(segment, placed)
    return _around(replace(segment, text=text, words=words), speech)


def tidy(segment: Segment) -> Segment:
    """The segment with texts on one line, and without characters that cannot be stored or sent."""
    words = (replace(word, word=plain(word.word)) for word in segment.words)
    return replace(segment, text=plain(segment.text), words=tuple(word for word in words if word.word))


def _clipped_segment(segment: Segment, speech: Sequence[Stretch]) -> Segment | None:
    stretch = _touched(segment.start_s, segment.end_s, speech)
    return replace(segment, start_s=stretch.start_s, end_s=stretch.end_s) if stretch else None


def _clipped_word(word: Word, speech: Sequence[Stretch]) -> Word | None:
    stretch = _touched(word.start_s, word.end_s, speech)
    return replace(word, start_s=stretch.start_s, end_s=stretch.end_s) if stretch else None


def _around(segment: Segment, speech: Sequence[Stretch]) -> Segment:
    """The segment clipped to the speech it touches, but no further than its own words reach."""
    stretch = _touched(segment.start_s, segment.end_s, speech)
    first, last = segment.words[0], segment.words[-1]
    start_s = min(stretch.start_s, first.start_s) if stretch else first.start_s
    end_s = max(stretch.end_s, last.end_s) if stretch else last.end_s
    return replace(segment, start_s=start_s, end_s=end_s)


def _touched(start_s: float, end_s: float, speech: Iterable[Stretch]) -> Stretch | None:
    """From where it first touches speech to where it last does; to meet at an edge is not enough."""
    touched = [one for one in speech if one.start_s <= end_s and start_s <= one.end_s]
    if not touched:
        return None
    clipped = Stretch(max(start_s, touched[0].start_s), min(end_s, touched[-1].end_s))
    return clipped if clipped.end_s > clipped.start_s or start_s >= end_s else None


def _text_of(segment: Segment, placed: Sequence[Word | None]) -> str:
    """The segment's text without the words that were not placed; what is between words goes with the next one."""
    kept: list[str] = []
    at = 0
    for word, place in zip(segment.words, placed, strict=True):
        found = segment.text.find(word.word, at)
        if found < 0:
            return " ".join(one.word for one in placed if one is not None)
        end = found + len(word.word)
        if place is not None:
            kept.append(segment.text[at:end])
        at = end
    return "".join(kept).strip()
