"""Turns as every diarization engine gives them."""

from collections.abc import Iterable
from dataclasses import replace

from app.domain.speaker_turn import SpeakerTurn

TOUCHING_S = 0.011
"""A hundredth of a second, and a little for rounding: no engine tells a pause that short."""


def in_order(turns: Iterable[SpeakerTurn]) -> tuple[SpeakerTurn, ...]:
    """The turns in order of time, labelled anew in the order in which their speakers first appear.

    Labels given only tell speakers apart. Turns of one speaker that touch become one; those of different speakers
    may overlap. Times are rounded to the millisecond.
    """
    ordered = sorted(turns, key=lambda turn: (turn.start_s, turn.end_s, turn.speaker))
    labels: dict[str, str] = {}
    joined: list[SpeakerTurn] = []
    last: dict[str, int] = {}
    for turn in ordered:
        label = labels.setdefault(turn.speaker, f"SPEAKER_{len(labels):02d}")
        index = last.get(label)
        if index is not None and turn.start_s - joined[index].end_s < TOUCHING_S:
            joined[index] = replace(joined[index], end_s=max(joined[index].end_s, round(turn.end_s, 3)))
        else:
            last[label] = len(joined)
            joined.append(SpeakerTurn(round(turn.start_s, 3), round(turn.end_s, 3), label))
    return tuple(joined)
