"""PROCESSING → COMPLETED, for one run or for many that have ended at about the same time: one statement, one commit."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Float, Text, Uuid, bindparam, column, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import JSONB

from app.domain.states import JobState
from app.domain.transcript import Transcript, segment_to_dict
from app.models import Job, JobPart, JobTranscript
from app.services.jobs.claimed import ClaimedJob
from app.services.statements import Statement


@dataclass(frozen=True, slots=True)
class Result:
    """What a run has come to."""

    job: ClaimedJob
    transcript: Transcript


_RESULTS = (
    func.jsonb_to_recordset(bindparam("results", type_=JSONB))
    .table_valued(
        column("job_id", Uuid),
        column("token", Uuid),
        column("length_s", Float),
        column("language", Text),
        column("engine", Text),
        column("model", Text),
        column("words", Text),
        column("segments", JSONB),
        column("speakers", JSONB),
        column("warnings", JSONB),
        name="results",
    )
    .render_derived(with_types=True)
)
_ENDED = (
    update(Job)
    .where(Job.id == _RESULTS.c.job_id, Job.claim == _RESULTS.c.token)
    .values(
        state=JobState.COMPLETED.value,
        claim=None,
        ended_by=_RESULTS.c.token,
        finished_at=func.now(),
        progress=1.0,
        duration_s=_RESULTS.c.length_s,
        language=_RESULTS.c.language,
        engine=_RESULTS.c.engine,
        model=_RESULTS.c.model,
    )
    .returning(Job.id, _RESULTS.c.words, _RESULTS.c.segments, _RESULTS.c.speakers, _RESULTS.c.warnings)
    .cte("ended")
)
_KEPT = (
    insert(JobTranscript)
    .from_select(["job_id", "text", "segments", "speakers", "warnings"], select(_ENDED))
    .cte("kept")
)
_DROPPED = delete(JobPart).where(JobPart.job_id.in_(select(_ENDED.c.id))).cte("dropped")
COMPLETE = Statement.of(select(_ENDED.c.id).add_cte(_KEPT, _DROPPED))
"""Ends the jobs, keeps the transcripts, drops the parts; gives a row for each job that was its run's, and leaves the
others as they are."""


def completions(results: Sequence[Result]) -> dict[str, Any]:
    """What `COMPLETE` takes."""
    return {"results": json.dumps([_completion(result) for result in results])}


def _completion(result: Result) -> dict[str, Any]:
    transcript = result.transcript
    return {
        "job_id": result.job.id,
        "token": str(result.job.token),
        "length_s": transcript.duration_s,
        "language": transcript.language,
        "engine": transcript.engine,
        "model": transcript.model,
        "words": transcript.text,
        "segments": [segment_to_dict(segment) for segment in transcript.segments],
        "speakers": [asdict(speaker) for speaker in transcript.speakers],
        "warnings": list(transcript.warnings),
    }
