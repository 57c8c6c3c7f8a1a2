"""A part as an engine is given it: the sound, where to listen, and the way back to the recording's own times."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from app.audio.parts import Part
from app.audio.regions import padded
from app.audio.sound import RATE_HZ, Pcm, Span, SpanPolicy
from app.audio.spans import spans
from app.audio.timemap import TimeMap, trim
from app.domain.transcript import Segment
from app.services.transcription.placement import Stretch, tidy, within_speech


@dataclass(frozen=True, slots=True)
class PartSound:
    """`pcm`, shape (n,), with the `spans` to decode in it; `speech` is where somebody speaks in the recording."""

    pcm: Pcm
    spans: tuple[Span, ...]
    speech: tuple[Stretch, ...]
    start_s: float
    time_map: TimeMap

    def original_sample(self, at: int) -> int:
        """Where a sample of `pcm` lies in the recording."""
        return round((self.start_s + self.time_map.to_original_s(at / RATE_HZ)) * RATE_HZ)

    def placed(self, heard: Segment) -> Segment | None:
        """What the engine heard, at its place in the recording; None if nobody spoke there."""
        return within_speech(_later(self.time_map.restored(tidy(heard)), self.start_s), self.speech)


def part_sound(part: Part, policy: SpanPolicy, hop: int, *, is_trimmed: bool) -> PartSound:
    """Make a part ready, with its long silences left out if asked for. `hop` is samples a probability."""
    pcm, time_map = trim(part.pcm, part.regions) if is_trimmed else (part.pcm, _all_of(part))
    regions = [time_map.to_trimmed(region) for region in part.regions]
    strengths = _strengths(part, time_map, hop) if is_trimmed else part.probabilities
    return PartSound(
        pcm=pcm,
        spans=tuple(spans(regions, policy, len(pcm), strengths=strengths, hop=hop)),
        speech=_speech(part, policy),
        start_s=part.start / RATE_HZ,
        time_map=time_map,
    )


def _all_of(part: Part) -> TimeMap:
    return TimeMap((Span(0, len(part.pcm)),))


def _strengths(part: Part, time_map: TimeMap, hop: int) -> npt.NDArray[np.float32]:
    """The part's probabilities, one for each hop of the trimmed sound."""
    kept = np.array([(span.start, span.n_samples) for span in time_map.kept])
    ends = np.cumsum(kept[:, 1])
    middles = np.arange(hop // 2, ends[-1], hop)
    at = np.searchsorted(ends, middles, side="right")
    hops = (middles - (ends - kept[:, 1])[at] + kept[at, 0]) // hop
    found: npt.NDArray[np.float32] = part.probabilities[hops[hops < len(part.probabilities)]]
    return found


def _speech(part: Part, policy: SpanPolicy) -> tuple[Stretch, ...]:
    """Where words may be: speech, and as far around it as the engine was let hear."""
    wide = padded(list(part.regions), round(policy.pad_s * RATE_HZ), len(part.pcm))
    return tuple(Stretch((part.start + span.start) / RATE_HZ, (part.start + span.end) / RATE_HZ) for span in wide)


def _later(segment: Segment, by_s: float) -> Segment:
    words = (replace(word, start_s=word.start_s + by_s, end_s=word.end_s + by_s) for word in segment.words)
    return replace(segment, start_s=segment.start_s + by_s, end_s=segment.end_s + by_s, words=tuple(words))
