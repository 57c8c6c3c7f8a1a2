"""What a client should know of a diarization that went otherwise than it said."""

from collections.abc import Iterable, Iterator

from app.domain.speaker_hints import SpeakerHints
from app.domain.speaker_turn import SpeakerTurn

NO_SPEECH = "no_speech"
FEWER = "fewer_speakers_than_asked"
MORE = "more_speakers_than_asked"


def findings(turns: Iterable[SpeakerTurn], hints: SpeakerHints) -> Iterator[str]:
    """Warnings: nobody speaks, or not as many as the hints said."""
    n_found = len({turn.speaker for turn in turns})
    if n_found == 0:
        yield NO_SPEECH
        return
    if n_found < max(hints.n_speakers or 1, hints.min_speakers or 1):
        yield FEWER
    if n_found > min(hints.n_speakers or n_found, hints.max_speakers or n_found):
        yield MORE
