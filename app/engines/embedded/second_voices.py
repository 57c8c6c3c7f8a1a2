"""Where two speak at once: whose the second voice is."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from app.audio.sound import RATE_HZ, Span
from app.domain.speaker_turn import SpeakerTurn

MAX_APART_S = 5.0
"""Who has said nothing within so much of the moment is not the second voice."""
MIN_TOGETHER_S = 1.0
"""So much must be said at once before a second speaker is believed in who is never heard alone."""
UNHEARD = "unheard"


def with_second_voices(turns: Sequence[SpeakerTurn], together: Sequence[Span]) -> Iterator[SpeakerTurn]:
    """All turns, and where two speak at once one of a second speaker and, if need be, of the first.

    The first is who speaks most in that time, the second who else spoke last or speaks next. Of one who is heard
    only under the other all that is known is that.

    Args:
        turns: of one speaker at a time, in order.
        together: where two speak at once, in order.
    """
    yield from turns
    spans = [(one.start / RATE_HZ, one.end / RATE_HZ) for one in together]
    if len({turn.speaker for turn in turns}) > 1:
        starts_s, ends_s = [turn.start_s for turn in turns], [turn.end_s for turn in turns]
        for start_s, end_s in spans:
            first, end = bisect_left(ends_s, start_s - MAX_APART_S), bisect_right(starts_s, end_s + MAX_APART_S)
            for speaker in _two(turns[first:end], start_s, end_s):
                yield SpeakerTurn(start_s, end_s, speaker)
    elif turns and sum(end_s - start_s for start_s, end_s in spans) >= MIN_TOGETHER_S:
        for start_s, end_s in spans:
            yield SpeakerTurn(start_s, end_s, UNHEARD)


def _two(near: Sequence[SpeakerTurn], start_s: float, end_s: float) -> list[str]:
    """The two of those `near` who speak in this time; none if there is nobody whom the second voice could be."""
    shares: dict[str, float] = {}
    for turn in near:
        shares[turn.speaker] = shares.get(turn.speaker, 0.0) - min(0.0, _apart(turn, start_s, end_s))
    if len(shares) < 2:
        return []
    first = max(shares, key=lambda speaker: shares[speaker])
    others = [turn for turn in near if turn.speaker != first]
    return [first, min(others, key=lambda turn: max(0.0, _apart(turn, start_s, end_s))).speaker]


def _apart(turn: SpeakerTurn, start_s: float, end_s: float) -> float:
    """Seconds between a turn and a time; less than 0 by as much as they share."""
    return max(turn.start_s, start_s) - min(turn.end_s, end_s)
