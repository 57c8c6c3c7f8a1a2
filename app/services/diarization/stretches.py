"""When one speaker speaks: that speaker's turns as stretches of time that do not overlap, in order."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from app.domain.speaker_turn import SpeakerTurn


@dataclass(frozen=True, slots=True)
class Stretches:
    """Starts and ends in seconds, as two lists of the same length."""

    starts: list[float]
    ends: list[float]

    @property
    def total_s(self) -> float:
        """How long all of them are."""
        return sum(end - start for start, end in zip(self.starts, self.ends, strict=True))

    def overlap_s(self, start_s: float, end_s: float) -> float:
        """How much of the time from `start_s` to `end_s` lies in them."""
        first, last = bisect_right(self.ends, start_s), bisect_left(self.starts, end_s)
        return sum(min(end_s, self.ends[i]) - max(start_s, self.starts[i]) for i in range(first, last))

    def distance_s(self, start_s: float, end_s: float) -> float:
        """How far from `start_s`…`end_s` the nearest of them is; 0 where they touch."""
        after = bisect_left(self.starts, start_s)
        near = [self.starts[after] - end_s] if after < len(self.starts) else []
        near += [start_s - self.ends[after - 1]] if after > 0 else []
        return max(0.0, min(near))


def stretches(turns: Iterable[SpeakerTurn]) -> dict[str, Stretches]:
    """By speaker, in order of first appearance; each has at least one stretch, none of no length."""
    spoken: dict[str, list[SpeakerTurn]] = defaultdict(list)
    for turn in sorted(turns, key=lambda turn: (turn.start_s, turn.end_s)):
        if turn.end_s > turn.start_s:
            spoken[turn.speaker].append(turn)
    return {speaker: _joined(theirs) for speaker, theirs in spoken.items()}


def _joined(ordered: list[SpeakerTurn]) -> Stretches:
    found = Stretches([], [])
    for turn in ordered:
        if found.ends and turn.start_s <= found.ends[-1]:
            found.ends[-1] = max(found.ends[-1], turn.end_s)
        else:
            found.starts.append(turn.start_s)
            found.ends.append(turn.end_s)
    return found
