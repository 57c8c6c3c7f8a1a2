"""CTM (.ctm): each word with its time, `file channel start duration word [confidence]`.

After NIST's SCTK, "ctm" under its input file formats; lines are in order of time, as sclite asks for.
"""

import math

from app.domain.transcript import Segment, Transcript, Word
from app.exports.fields import field, span_fields
from app.exports.tokens import timed_tokens


def render(transcript: Transcript, title: str) -> str:
    """A line a word; a segment without word times gives each word its share of the segment by length."""
    words = [word for segment in transcript.segments for word in _words(segment)]
    ordered = sorted(words, key=lambda word: float(span_fields(word.start_s, word.end_s)[0]))
    return "".join(_line(word, field(title)) for word in ordered)


def _words(segment: Segment) -> list[Word]:
    if segment.words:
        return [word for word in segment.words if word.word.strip()]
    return [Word(token.text, token.start_s, token.end_s) for token in timed_tokens(segment)]


def _line(word: Word, file_id: str) -> str:
    start, duration = span_fields(word.start_s, word.end_s)
    is_known = word.confidence is not None and math.isfinite(word.confidence)
    confidence = f" {word.confidence:.2f}" if is_known else ""
    return f"{file_id} 1 {start} {duration} {field(word.word)}{confidence}\n"
