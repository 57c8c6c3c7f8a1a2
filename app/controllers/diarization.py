"""The diarization mode: hand a recording in, or name a job, and read who said what."""

from typing import Any

from app.controllers import intake
from app.domain.job import Mode
from app.schemas.create_job import CreateDiarizationJobForm

DIARIZATION = intake.Intake(Mode.DIARIZATION, CreateDiarizationJobForm, (intake.URL, "job_uuid"))


def create_diarization_job() -> dict[str, Any]:
    """Take a job in."""
    return intake.create_job(DIARIZATION)


def get_diarization_result(query: dict[str, Any]) -> dict[str, Any]:
    """A job's result, or how far it is."""
    return intake.get_result(query)
