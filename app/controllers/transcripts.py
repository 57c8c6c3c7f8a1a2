"""Transcripts as files."""

from typing import Any

from flask import Response

from app.controllers.context import principal, services
from app.controllers.file_names import disposition, stem
from app.domain.errors import Conflict
from app.domain.states import JobState
from app.domain.transcript import Transcript
from app.exports.formats import get_format
from app.exports.wire import segment_to_wire
from app.schemas.jobs import MACHINE


def get_transcript(job_id: str, query: dict[str, Any]) -> Response:
    """The transcript of a completed job, to be saved under the recording's name.

    Raises:
        Conflict: it is not completed.
    """
    job = services().catalogue.get_job(principal(), job_id)
    if job.state is not JobState.COMPLETED:
        raise Conflict(state=job.state.value)
    wanted = get_format(query["format"])
    title = stem(job.filename)
    text = wanted.render(_wanted(job_id, query), title)
    headers = {"Content-Disposition": disposition("attachment", title + wanted.extension)}
    return Response(text, content_type=wanted.content_type, headers=headers)


def get_edits(job_id: str) -> dict[str, Any]:
    """The segments that people have corrected, and what the machine heard there."""
    edits = services().catalogue.list_edits(principal(), job_id)
    return {"edits": [{"segment": segment_to_wire(now), "machine_text": heard.text} for now, heard in edits]}


def _wanted(job_id: str, query: dict[str, Any]) -> Transcript:
    is_machines = query["version"] == MACHINE
    return services().catalogue.get_transcript(principal(), job_id, is_machines=is_machines)
