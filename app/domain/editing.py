"""What people have made of the machine's text: kept beside it, segment by segment."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from app.domain.transcript import Segment, Transcript, Word

MARKS = ".,;:!?…\"'«»()[]-–—"


@dataclass(frozen=True, slots=True)
class _Gap:
    """Where new words go, in seconds."""

    start_s: float
    end_s: float


def edited(transcript: Transcript, edits: Mapping[int, str]) -> Transcript:
    """The transcript as people have corrected it: `edits` are texts by segment id."""
    if not edits:
        return transcript
    segments = (rewritten(one, edits[one.id]) if one.id in edits else one for one in transcript.segments)
    return replace(transcript, segments=tuple(segments))


def rewritten(segment: Segment, text: str) -> Segment:
    """The segment with another text. Words that were kept keep their times; new ones share that of those they replace.

    Of a new word no confidence is told: a person wrote it.
    """
    return replace(segment, text=text, words=tuple(_timed(segment, text.split())) if segment.words else ())


def _timed(segment: Segment, tokens: Sequence[str]) -> Iterator[Word]:
    words = segment.words
    matcher = SequenceMatcher(
        None, [_bare(word.word) for word in words], [_bare(one) for one in tokens], autojunk=False
    )
    for kind, i, j, k, m in matcher.get_opcodes():
        if kind == "equal":
            yield from (replace(word, word=token) for word, token in zip(words[i:j], tokens[k:m], strict=True))
        else:
            speaker = words[min(i, len(words) - 1)].speaker
            yield from _spread(tokens[k:m], _gap(segment, i, j), speaker)


def _gap(segment: Segment, i: int, j: int) -> _Gap:
    """From the first to the last of words `i` to `j`; between two words if that is none."""
    words = segment.words
    if i < j:
        return _Gap(words[i].start_s, words[j - 1].end_s)
    start_s = words[i - 1].end_s if i else segment.start_s
    end_s = words[i].start_s if i < len(words) else segment.end_s
    return _Gap(start_s, max(start_s, end_s))


def _spread(tokens: Sequence[str], gap: _Gap, speaker: str | None) -> Iterator[Word]:
    """The tokens one after the other, each as long as it is written."""
    n_letters = sum(len(token) for token in tokens)
    at = 0
    for token in tokens:
        start_s = gap.start_s + (gap.end_s - gap.start_s) * at / n_letters
        at += len(token)
        yield Word(token, start_s, gap.start_s + (gap.end_s - gap.start_s) * at / n_letters, None, speaker)


def _bare(token: str) -> str:
    """What two spellings of a word have in common."""
    return token.strip(MARKS).casefold() or token
