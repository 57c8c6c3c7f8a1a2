"""Results as the tables keep them."""

from collections.abc import Iterable
from typing import Any

from app.domain.speaker_turn import SpeakerTurn
from app.domain.transcript import Speaker, Transcript, segment_from_dict
from app.models import Job, JobTranscript, JobTurns


def stored_transcript(job: Job, stored: JobTranscript, turns: JobTurns | None = None) -> Transcript:
    """The transcript of a completed job."""
    return Transcript(
        segments=tuple(segment_from_dict(segment) for segment in stored.segments),
        speakers=tuple(Speaker(**speaker) for speaker in stored.speakers),
        language=job.language,
        duration_s=job.duration_s or 0.0,
        engine=job.engine,
        model=job.model,
        warnings=tuple(stored.warnings),
        turns=stored_turns(turns) if turns else (),
    )


def stored_turns(stored: JobTurns) -> tuple[SpeakerTurn, ...]:
    """The turns that `turns_to_rows` made rows of."""
    return tuple(SpeakerTurn(start_s, end_s, speaker) for start_s, end_s, speaker in stored.turns)


def turns_to_rows(turns: Iterable[SpeakerTurn]) -> list[list[Any]]:
    """The stored form of turns; times to the millisecond."""
    return [[round(turn.start_s, 3), round(turn.end_s, 3), turn.speaker] for turn in turns]
