"""From a row to what may be told of it."""

from dataclasses import asdict
from typing import Any

from app.domain.job import JobFailure, JobOptions, JobView, Mode, Priority, seq_of_state
from app.domain.states import JobState
from app.models import Job


def options_to_dict(options: JobOptions) -> dict[str, Any]:
    """The stored form of a job's options."""
    return {**asdict(options), "hotwords": list(options.hotwords)}


def options_from_dict(stored: dict[str, Any]) -> JobOptions:
    """The options that `options_to_dict` stored; what an older version did not know takes its default."""
    known = {name: stored[name] for name in JobOptions.__dataclass_fields__ if name in stored}
    return JobOptions(**{**known, "hotwords": tuple(known.get("hotwords", ()))})


def view(job: Job) -> JobView:
    """All that a client may know of a job, as plain values."""
    state = JobState(job.state)
    return JobView(
        id=str(job.id),
        project_id=job.project_id,
        mode=Mode(job.mode),
        state=state,
        priority=list(Priority)[job.priority],
        options=options_from_dict(job.options),
        filename=job.filename,
        content_type=job.content_type,
        size_bytes=job.size_bytes,
        progress=1.0 if state is JobState.COMPLETED else job.progress,
        attempt=job.attempt,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        cancel_requested=job.cancel_requested,
        duration_s=job.duration_s,
        language=job.language,
        engine=job.engine,
        model=job.model,
        error=_failure(job) if state is JobState.FAILED else None,
        seq=seq_of_state(state, job.attempt),
        metadata=job.meta,
        source_id=str(job.source_id) if job.source_id else None,
    )


def _failure(job: Job) -> JobFailure:
    return JobFailure(
        code=job.error_code or "internal_error",
        message=job.error_message or "",
        retryable=bool(job.error_retryable),
        attempts=job.attempt,
        params=job.error_params or {},
    )
