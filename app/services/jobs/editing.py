"""Texts that people have corrected, beside what the machine heard."""

from collections.abc import Mapping
from typing import Any

from app.domain.editing import edited
from app.domain.errors import InvalidFields
from app.domain.transcript import Transcript, segment_from_dict
from app.models import Job, JobTranscript
from app.services.database import Work


def edit(work: Work, job: Job, texts: Mapping[int, str | None]) -> None:
    """Write texts by segment id; None gives a segment back to the machine.

    Raises:
        InvalidFields: the transcript has no such segment, or there is no transcript.
    """
    transcript = work.session.get(JobTranscript, job.id)
    known = {segment["id"]: segment["text"] for segment in transcript.segments} if transcript else {}
    unknown = sorted(set(texts) - set(known))
    if transcript is None or unknown:
        raise InvalidFields({"segments": [f"no segment {one} in this transcript" for one in unknown or texts]})
    kept = {**edits_of(transcript), **texts}
    transcript.edits = {str(one): text for one, text in kept.items() if text is not None and text != known[one]} or None
    transcript.text = as_edited(_heard(transcript.segments), transcript).text


def edits_of(transcript: JobTranscript) -> dict[int, str]:
    """The stored edits: texts by segment id."""
    return {int(one): text for one, text in (transcript.edits or {}).items()}


def as_edited(heard: Transcript, transcript: JobTranscript) -> Transcript:
    """What was heard, with the corrections."""
    return edited(heard, edits_of(transcript))


def _heard(segments: list[dict[str, Any]]) -> Transcript:
    return Transcript(tuple(segment_from_dict(segment) for segment in segments))
