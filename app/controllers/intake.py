"""Recordings handed in by a form, and their results: the same for all modes that take files."""

from dataclasses import dataclass, replace
from typing import Any

from flask import after_this_request, current_app, request
from marshmallow import Schema

from app.controllers import presenting
from app.controllers.context import principal, services
from app.controllers.received_form import ReceivedForm, merged, received_form
from app.domain.errors import BadRequest, InvalidFields, NotFound, Unavailable
from app.domain.job import JobView, Mode
from app.domain.states import JobState
from app.observability import metrics
from app.schemas.create_job import JobForm
from app.schemas.loading import load_form, renamed, wire_names
from app.services.jobs.idempotency import checked_key
from app.services.jobs.request import SubmitJob
from app.services.jobs.submission import Submission

FILE, URL = "audioFile", "audioUrl"
MAX_UPLOAD_BYTES = "PARLOIR_MAX_UPLOAD_BYTES"


@dataclass(frozen=True, slots=True)
class Intake:
    """A mode, the form that it takes, and the fields that may stand in for the file."""

    mode: Mode
    form: type[Schema]
    instead: tuple[str, ...] = (URL,)

    @property
    def missing(self) -> str:
        """What to say where there is no recording."""
        return f"A file is needed, or {_names(self.instead)}."

    @property
    def doubled(self) -> str:
        """What to say where there is more than one."""
        return f"Either a file or {_names(self.instead)}, not both."


def create_job(intake: Intake) -> dict[str, Any]:
    """Take a job in."""
    key = checked_key(request.headers.get("Idempotency-Key"))
    limit = current_app.config[MAX_UPLOAD_BYTES]
    with (
        services().idempotency.taking_in(principal(), key) as hold,
        received_form(request, FILE, services().storage, limit, hold) as form,
    ):
        asked = _checked(intake, form)
        submission = _submitted(intake, _command(intake, form, asked, key))
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


def _checked(intake: Intake, form: ReceivedForm) -> JobForm:
    """What the form asks for; all that is wrong with it is told at once."""
    problems = merged(form.problems, _recording_problems(intake, form))
    asked: JobForm | None = None
    try:
        asked = load_form(intake.form(), form.fields)
        if asked.from_job is None:
            services().submissions.check(asked.options, intake.mode)
    except InvalidFields as error:
        problems = merged(problems, renamed(error.errors, wire_names(intake.form)))
    if asked is None or problems:
        raise InvalidFields(problems)
    return asked


def _recording_problems(intake: Intake, form: ReceivedForm) -> dict[str, list[str]]:
    given = [name for name in intake.instead if form.fields.get(name)]
    has_file = form.filename is not None
    if len(given) + has_file > 1:
        return {name: [intake.doubled] for name in ((FILE, *given) if has_file else given)}
    if has_file and form.n_bytes == 0:
        return {FILE: ["The file is empty."]}
    if not has_file and not given and FILE not in form.problems:
        return {FILE: [intake.missing]}
    return {}


def _names(fields: tuple[str, ...]) -> str:
    return " or ".join(f"`{field}`" for field in fields)


def _command(intake: Intake, form: ReceivedForm, asked: JobForm, key: str | None) -> SubmitJob:
    command = SubmitJob(
        mode=intake.mode,
        filename=form.filename or "",
        options=asked.options,
        priority=asked.priority,
        metadata=asked.metadata,
        idempotency_key=key,
        audio_url=asked.audio_url,
        callback_url=asked.callback_url,
        from_job=asked.from_job,
    )
    # Last, so that nothing can fail between the recording's being safe and the service's taking it over.
    return replace(command, audio=form.keep())


def _submitted(intake: Intake, command: SubmitJob) -> Submission:
    try:
        return services().submissions.submit(principal(), command)
    except InvalidFields as error:
        raise InvalidFields(renamed(error.errors, wire_names(intake.form))) from error


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
