"""PROCESSING → COMPLETED in one statement, built once: putting it together costs more than running it."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import Float, Text, Uuid, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import JSONB

from app.domain.states import JobState
from app.domain.transcript import Transcript, segment_to_dict
from app.models import Job, JobPart, JobTranscript
from app.services.jobs.claimed import ClaimedJob

_ENDED = (
    update(Job)
    .where(Job.id == bindparam("job", type_=Uuid), Job.claim == bindparam("token", type_=Uuid))
    .values(
        state=JobState.COMPLETED.value,
        claim=None,
        ended_by=bindparam("token", type_=Uuid),
        finished_at=func.now(),
        progress=1.0,
        duration_s=bindparam("length_s", type_=Float),
        language=bindparam("spoken", type_=Text),
        engine=bindparam("by_engine", type_=Text),
        model=bindparam("by_model", type_=Text),
    )
    .returning(Job.id)
    .cte("ended")
)
_KEPT = (
    insert(JobTranscript)
    .from_select(
        ["job_id", "text", "segments", "speakers", "warnings"],
        select(
            _ENDED.c.id,
            bindparam("words", type_=Text),
            bindparam("heard", type_=JSONB),
            bindparam("voices", type_=JSONB),
            bindparam("warned", type_=JSONB),
        ),
    )
    .cte("kept")
)
_DROPPED = delete(JobPart).where(JobPart.job_id.in_(select(_ENDED.c.id))).cte("dropped")
COMPLETE = select(_ENDED.c.id).add_cte(_KEPT, _DROPPED)
"""Ends the job, keeps the transcript, drops the parts; gives a row if the job was the run's, else does nothing."""


def completion(job: ClaimedJob, transcript: Transcript) -> dict[str, Any]:
    """What `COMPLETE` takes."""
    return {
        "job": UUID(job.id),
        "token": job.token,
        "length_s": transcript.duration_s,
        "spoken": transcript.language,
        "by_engine": transcript.engine,
        "by_model": transcript.model,
        "words": transcript.text,
        "heard": [segment_to_dict(segment) for segment in transcript.segments],
        "voices": [asdict(speaker) for speaker in transcript.speakers],
        "warned": list(transcript.warnings),
    }
