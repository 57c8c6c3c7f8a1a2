"""What is told of a job that has ended."""

from datetime import UTC
from typing import Any

from app.domain.job import Mode
from app.domain.states import JobState
from app.models import Job

TYPES = {
    JobState.COMPLETED: "job.completed",
    JobState.FAILED: "job.failed",
    JobState.CANCELLED: "job.cancelled",
}

RESULT_PATHS = {
    Mode.BATCH: "/api/batchTranscription/result",
    Mode.STREAMING: "/api/streamingTranscription/result",
    Mode.DIARIZATION: "/api/diarization/result",
}


def job_event(job: Job) -> dict[str, Any]:
    """The event that a job has come to its end, as JSON; small, so that the receiver fetches what it wants."""
    assert job.finished_at is not None, "it has ended: the table's own check"
    job_id = str(job.id)
    data = {
        "job_id": job_id,
        "job_uuid": job_id,
        "status": job.state,
        "mode": job.mode,
        "metadata": job.meta,
        "result_url": f"{RESULT_PATHS[Mode(job.mode)]}?job_uuid={job_id}",
    }
    if job.state == JobState.FAILED:
        data["error"] = _error(job)
    ended_at = job.finished_at.astimezone(UTC)
    return {"type": TYPES[JobState(job.state)], "timestamp": ended_at.isoformat(), "data": data}


def _error(job: Job) -> dict[str, Any]:
    return {
        "code": job.error_code,
        "message": job.error_message,
        "retryable": bool(job.error_retryable),
        "attempts": job.attempt,
    }
