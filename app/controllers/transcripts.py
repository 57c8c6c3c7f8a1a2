"""Transcripts as files."""

from typing import Any

from flask import Response

from app.controllers.context import principal, services
from app.controllers.file_names import disposition, stem
from app.domain.errors import Conflict
from app.domain.states import JobState
from app.exports.formats import get_format


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
    text = wanted.render(services().catalogue.get_transcript(principal(), job_id), title)
    headers = {"Content-Disposition": disposition("attachment", title + wanted.extension)}
    return Response(text, content_type=wanted.content_type, headers=headers)
