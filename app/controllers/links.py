"""Addresses that answers give."""

from flask import current_app, request

PUBLIC_URL = "PARLOIR_PUBLIC_URL"
RESULT_PATHS = {
    "batch": "/api/batchTranscription/result",
    "streaming": "/api/streamingTranscription/result",
    "diarization": "/api/diarization/result",
}
STREAM_PATH = "/api/streamingTranscription/stream"


def absolute(path: str) -> str:
    """A path as the client reaches it: below PUBLIC_URL, else below where the request came to."""
    base = current_app.config[PUBLIC_URL] or request.url_root
    return f"{base.rstrip('/')}{path}"


def result_url(mode: str, job_id: str) -> str:
    """Where a job's result is."""
    path = RESULT_PATHS.get(mode)
    return absolute(f"{path}?job_uuid={job_id}" if path else f"/api/jobs/{job_id}")


def events_url(job_id: str) -> str:
    """Where a job's events are."""
    return absolute(f"/api/jobs/{job_id}/events")


def stream_url(job_id: str) -> str:
    """Where the socket of a live session is."""
    return "ws" + absolute(f"{STREAM_PATH}?job_uuid={job_id}").removeprefix("http")
