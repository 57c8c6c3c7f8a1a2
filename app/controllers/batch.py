"""The batch mode: hand a recording in, read what was said."""

from typing import Any

from app.controllers import intake
from app.domain.job import Mode
from app.schemas.create_job import CreateBatchJobForm

BATCH = intake.Intake(Mode.BATCH, CreateBatchJobForm)


def create_job() -> dict[str, Any]:
    """Take a job in."""
    return intake.create_job(BATCH)


def get_result(query: dict[str, Any]) -> dict[str, Any]:
    """A job's result, or how far it is."""
    return intake.get_result(query)
