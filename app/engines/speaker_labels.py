"""Labels of speakers as every diarization engine gives them."""

from collections.abc import Iterable

from app.domain.speaker_turn import SpeakerTurn


def in_order(turns: Iterable[SpeakerTurn]) -> tuple[SpeakerTurn, ...]:
    """The turns in order of time, labelled anew in the order in which their speakers first appear.

    Labels given are only told apart; turns of different speakers may overlap.
    """
    ordered = sorted(turns, key=lambda turn: (turn.start_s, turn.end_s, turn.speaker))
    labels: dict[str, str] = {}
    for turn in ordered:
        labels.setdefault(turn.speaker, f"SPEAKER_{len(labels):02d}")
    return tuple(SpeakerTurn(turn.start_s, turn.end_s, labels[turn.speaker]) for turn in ordered)
