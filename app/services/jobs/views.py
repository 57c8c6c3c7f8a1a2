"""From a row to what may be told of it."""

from collections.abc import Iterable
from typing import Any

from app.domain.job import JobFailure, JobOptions, JobView, Mode, Priority, seq_of_state
from app.domain.states import JobState
from app.models import Job
from app.services.jobs.parking import NEVER


def options_to_dict(options: JobOptions) -> dict[str, Any]:
    """The stored form of a job's options."""
    stored = {name: getattr(options, name) for name in JobOptions.__dataclass_fields__}
    return {**stored, "hotwords": list(options.hotwords)}


def options_from_dict(stored: dict[str, Any]) -> JobOptions:
    """The options that `options_to_dict` stored; what an older version did not know takes its default."""
    known = {name: stored[name] for name in JobOptions.__dataclass_fields__ if name in stored}
    return JobOptions(**{**known, "hotwords": tuple(known.get("hotwords", ()))})


def shown_state(job: Job) -> JobState:
    """The state that a client sees: of a job that waits for one of its halves, that it is being worked on."""
    is_parked = job.state == JobState.QUEUED and job.run_at == NEVER
    return JobState.PROCESSING if is_parked else JobState(job.state)


def view(job: Job, halves: Iterable[Job] = ()) -> JobView:
    """All that a client may know of a job, as plain values."""
    state = shown_state(job)
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
        progress=1.0 if state is JobState.COMPLETED else _progress(job, halves),
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


def _progress(job: Job, halves: Iterable[Job]) -> float:
    """How far the job and its halves are, each counting as much as the others."""
    all_of = [job.progress, *(1.0 if half.state == JobState.COMPLETED else half.progress for half in halves)]
    return sum(all_of) / len(all_of)


def _failure(job: Job) -> JobFailure:
    return JobFailure(
        code=job.error_code or "internal_error",
        message=job.error_message or "",
        retryable=bool(job.error_retryable),
        attempts=job.attempt,
        params=job.error_params or {},
    )
