"""Jobs, whatever their mode: look, list, stop, try again, change, remove."""

from typing import Any

from app.controllers import presenting
from app.controllers.context import principal, services
from app.services.jobs.catalogue import JobFilter
from app.services.jobs.control import JobPatch


def list_jobs(query: dict[str, Any]) -> dict[str, Any]:
    """A page of jobs, newest first."""
    page = services().catalogue.list_jobs(principal(), JobFilter(**query))
    return {"jobs": [presenting.described(job) for job in page.jobs], "next_cursor": page.next_cursor}


def get_job(job_id: str) -> dict[str, Any]:
    """One job."""
    return presenting.described(services().catalogue.get_job(principal(), job_id))


def update_job(job_id: str, body: dict[str, Any]) -> dict[str, Any]:
    """Rename speakers, replace the metadata."""
    return presenting.described(services().control.update(principal(), job_id, JobPatch(**body)))


def delete_job(job_id: str) -> dict[str, Any]:
    """Remove a job with all that belongs to it."""
    services().control.delete(principal(), job_id)
    return {"job_id": job_id, "deleted": True}


def cancel_job(job_id: str) -> dict[str, Any]:
    """Stop a job."""
    return presenting.described(services().control.cancel(principal(), job_id))


def retry_job(job_id: str) -> dict[str, Any]:
    """Have a job that failed or was cancelled done again."""
    return presenting.described(services().control.retry(principal(), job_id))
