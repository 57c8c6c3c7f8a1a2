"""The batch mode: hand a recording in, read what was said."""

from dataclasses import replace
from typing import Any

from flask import after_this_request, current_app, request

from app.controllers import presenting
from app.controllers.context import principal, services
from app.controllers.received_form import ReceivedForm, merged, received_form
from app.domain.errors import BadRequest, InvalidFields, NotFound, Unavailable
from app.domain.job import JobView, Mode
from app.domain.states import JobState
from app.observability import metrics
from app.schemas.create_job import CreateBatchJobForm, JobForm
from app.schemas.loading import load_form, renamed, wire_names
from app.services.jobs.idempotency import checked_key
from app.services.jobs.submission import SubmitJob

FILE, URL = "audioFile", "audioUrl"
MAX_UPLOAD_BYTES = "PARLOIR_MAX_UPLOAD_BYTES"
NAMES = wire_names(CreateBatchJobForm)


def create_job() -> dict[str, Any]:
    """Take a job in."""
    key = checked_key(request.headers.get("Idempotency-Key"))
    limit = current_app.config[MAX_UPLOAD_BYTES]
    with (
        services().idempotency.taking_in(principal(), key) as hold,
        received_form(request, FILE, services().storage, limit, hold) as form,
    ):
        asked = _checked(form)
        submission = services().submissions.submit(principal(), _command(form, asked, key))
    _count(form, submission.job, replayed=submission.replayed)
    return presenting.accepted(submission.job, _position(submission.job))


def get_result(query: dict[str, Any]) -> dict[str, Any]:
    """A job's result, or how far it is."""
    job = services().catalogue.get_job(principal(), query["job_uuid"])
    is_done = job.state is JobState.COMPLETED
    transcript = services().catalogue.get_transcript(principal(), job.id) if is_done else None
    return presenting.resulted(job, transcript)


def require_job_uuid() -> None:
    """Say that `job_uuid` is missing as what it is in this family, a malformed request.

    Raises:
        BadRequest: it is missing.
    """
    if not request.args.get("job_uuid", "").strip():
        raise BadRequest(reason="job_uuid is missing")


def _checked(form: ReceivedForm) -> JobForm:
    """What the form asks for; all that is wrong with it is told at once."""
    problems = merged(form.problems, _recording_problems(form))
    asked: JobForm | None = None
    try:
        asked = load_form(CreateBatchJobForm(), form.fields)
        services().submissions.check(asked.options)
    except InvalidFields as error:
        problems = merged(problems, renamed(error.errors, NAMES))
    if asked is None or problems:
        raise InvalidFields(problems)
    return asked


def _recording_problems(form: ReceivedForm) -> dict[str, list[str]]:
    has_url = bool(form.fields.get(URL))
    if form.filename is not None and has_url:
        return {FILE: ["Either a file or `audioUrl`, not both."], URL: ["Either a file or `audioUrl`, not both."]}
    if form.filename is not None and form.n_bytes == 0:
        return {FILE: ["The file is empty."]}
    if form.filename is None and not has_url and FILE not in form.problems:
        return {FILE: ["A file is needed, or `audioUrl`."]}
    return {}


def _command(form: ReceivedForm, asked: JobForm, key: str | None) -> SubmitJob:
    command = SubmitJob(
        mode=Mode.BATCH,
        filename=form.filename or "",
        options=asked.options,
        priority=asked.priority,
        metadata=asked.metadata,
        idempotency_key=key,
        audio_url=asked.audio_url,
        callback_url=asked.callback_url,
    )
    # Last, so that nothing can fail between the recording's being safe and the service's taking it over.
    return replace(command, audio=form.keep())


def _count(form: ReceivedForm, job: JobView, *, replayed: bool) -> None:
    metrics.count_upload(form.n_bytes)
    if not replayed:
        metrics.count_job(job.mode)
        return

    @after_this_request
    def tell(response: Any) -> Any:
        response.headers["Idempotency-Replayed"] = "true"
        return response


def _position(job: JobView) -> int | None:
    """The job's place in the queue; the job is safe already, so that not knowing it is no error."""
    try:
        return services().catalogue.get_job(principal(), job.id).position
    except (Unavailable, NotFound):
        return None
