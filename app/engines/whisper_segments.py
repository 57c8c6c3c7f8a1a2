"""From what Whisper decoded in one span to the service's segments: in place, in order, and without what nobody said.

Both libraries give text with times that may reach beyond the sound (it is padded to 30 s), go back a little, or
stand on silence. What is decided here is decided for both.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from app.audio.sound import RATE_HZ, Span
from app.domain.transcript import Segment, Word

NO_SPEECH_PROBABILITY = 0.6
LOW_LOG_PROBABILITY = -1.0
"""The thresholds of Radford et al. 2022, section 4.5: silence is where both agree."""
LEFTOVER_S = 0.3
"""When the last time told falls short of a span's end, the rest is decoded as a window of its own. So short a rest
holds no word, but padded with half a minute of silence it is where "Thank you." gets made up."""


@dataclass(frozen=True, slots=True)
class DecodedWord:
    """A word as decoded: with the space before it, times from the start of the span."""

    text: str
    start_s: float
    end_s: float
    probability: float


@dataclass(frozen=True, slots=True)
class Decoded:
    """A segment as decoded; times from the start of the span, `window_s` that of the 30 s window it came from."""

    text: str
    start_s: float
    end_s: float
    avg_logprob: float
    no_speech_prob: float
    window_s: float = 0.0
    words: tuple[DecodedWord, ...] = ()

    @property
    def confidence(self) -> float:
        """The geometric mean of its tokens' probabilities, 0…1."""
        return _probability(math.exp(self.avg_logprob))

    @property
    def is_silence(self) -> bool:
        """Whether this was made up where nobody spoke."""
        return self.no_speech_prob > NO_SPEECH_PROBABILITY and self.avg_logprob < LOW_LOG_PROBABILITY


def placed(decoded: Iterable[Decoded], span: Span) -> Iterator[Segment]:
    """What was said in the span, as it comes, with times from the start of the sound that the span is in."""
    duration_s = span.n_samples / RATE_HZ
    floor_s = 0.0
    for one in decoded:
        if not one.text.strip() or one.is_silence or _is_leftover(one, duration_s):
            continue
        kept = _within(one, floor_s, duration_s)
        if kept.end_s > kept.start_s:
            floor_s = kept.end_s
            yield _segment(kept, span.start / RATE_HZ)


def _is_leftover(decoded: Decoded, duration_s: float) -> bool:
    return decoded.window_s > 0 and duration_s - decoded.window_s < LEFTOVER_S


def _within(decoded: Decoded, floor_s: float, duration_s: float) -> Decoded:
    """The same with times of the span, not before what came earlier, and words inside their segment.

    A segment that lies wholly before the one that came earlier keeps its times: an overlap is better than a loss.
    """
    start_s, end_s = _clipped(decoded.start_s, 0, duration_s), _clipped(decoded.end_s, 0, duration_s)
    start_s = max(start_s, floor_s) if floor_s < end_s else start_s
    words = tuple(_in_order(decoded.words, start_s, max(start_s, end_s)))
    return replace(decoded, start_s=start_s, end_s=end_s, words=words)


def _in_order(words: Iterable[DecodedWord], start_s: float, end_s: float) -> Iterator[DecodedWord]:
    clock_s = start_s
    for word in words:
        word_start_s = _clipped(word.start_s, clock_s, end_s)
        clock_s = _clipped(word.end_s, word_start_s, end_s)
        yield replace(word, start_s=word_start_s, end_s=clock_s)


def _segment(decoded: Decoded, offset_s: float) -> Segment:
    words = (_word(word, offset_s) for word in decoded.words if word.text.strip())
    return Segment(
        id=0,
        start_s=_rounded(decoded.start_s + offset_s),
        end_s=_rounded(decoded.end_s + offset_s),
        text=decoded.text.strip(),
        confidence=decoded.confidence,
        words=tuple(words),
    )


def _word(word: DecodedWord, offset_s: float) -> Word:
    start_s, end_s = _rounded(word.start_s + offset_s), _rounded(word.end_s + offset_s)
    return Word(word.text.strip(), start_s, end_s, _probability(word.probability))


def _clipped(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


def _probability(value: float) -> float:
    return round(_clipped(value, 0.0, 1.0), 4)


def _rounded(time_s: float) -> float:
    """To the millisecond: no net tells time more finely."""
    return round(time_s, 3)
