"""A transcript as subtitles: short, in order, never two at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from app.domain.transcript import Transcript
from app.exports.breaking import MAX_CUE_S, broken, lines
from app.exports.plain import plain
from app.exports.timecode import milliseconds
from app.exports.tokens import Token, timed_tokens

_MAX_MS = milliseconds(MAX_CUE_S)
_READABLE_MS = 1000
"""What a subtitle is shown for at least, if the next one leaves the room."""


@dataclass(frozen=True, slots=True)
class Cue:
    """One subtitle; times are whole milliseconds, `lines` at most two, `speaker` as people know them."""

    start_ms: int
    end_ms: int
    lines: tuple[str, ...]
    speaker: str | None = None


def cues(transcript: Transcript, *, name_speakers: bool = False) -> list[Cue]:
    """The transcript's subtitles in order of time; each ends after it starts and before the next one.

    With `name_speakers` the text says `Name:` wherever the speaker changes.
    """
    tangled = sorted(_raw_cues(transcript, name_speakers), key=lambda cue: cue.start_ms)
    return _lengthened(_untangled(tangled), milliseconds(transcript.duration_s))


def _raw_cues(transcript: Transcript, name_speakers: bool) -> Iterator[Cue]:
    previous: str | None = None
    for segment in transcript.segments:
        speaker = plain(transcript.speaker_name(segment.speaker) or "") or None
        tokens = timed_tokens(segment)
        if name_speakers and tokens and speaker and speaker != previous:
            tokens.insert(0, Token(f"{speaker}:", tokens[0].start_s, tokens[0].start_s))
        yield from (_cue(group, speaker) for group in broken(tokens))
        previous = speaker


def _cue(tokens: list[Token], speaker: str | None) -> Cue:
    start_ms = milliseconds(tokens[0].start_s)
    end_ms = milliseconds(tokens[-1].end_s)
    return Cue(start_ms, max(start_ms + 1, min(end_ms, start_ms + _MAX_MS)), lines(tokens), speaker)


def _untangled(ordered: Sequence[Cue]) -> list[Cue]:
    """The cues without overlaps: of two at once, the first gives way, but not before it could be read."""
    placed: list[Cue] = []
    for cue in ordered:
        start_ms = cue.start_ms
        if placed:
            before = placed[-1]
            start_ms = max(start_ms, min(before.end_ms, before.start_ms + _READABLE_MS))
            placed[-1] = replace(before, end_ms=min(before.end_ms, start_ms))
        placed.append(replace(cue, start_ms=start_ms, end_ms=max(cue.end_ms, start_ms + 1)))
    return placed


def _lengthened(apart: list[Cue], duration_ms: int) -> list[Cue]:
    """The cues with those too short to be read drawn out, up to the next one or the recording's end."""
    limits_ms = [following.start_ms for following in apart[1:]] + [duration_ms]
    return [_drawn_out(cue, limit_ms) for cue, limit_ms in zip(apart, limits_ms, strict=False)]


def _drawn_out(cue: Cue, limit_ms: int) -> Cue:
    readable_ms = min(cue.start_ms + _READABLE_MS, limit_ms)
    return replace(cue, end_ms=max(cue.end_ms, readable_ms))
