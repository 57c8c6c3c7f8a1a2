"""From jobs and transcripts to the shapes that the answers' schemas dump."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from app.controllers.context import locale
from app.controllers.links import events_url, result_url
from app.domain.job import JobFailure, JobView, Mode
from app.domain.states import JobState
from app.domain.transcript import Transcript
from app.exports.wire import transcript_to_wire
from app.i18n import catalogue
from app.schemas.answers import DiarizationOptionsAnswer, OptionsAnswer

OPTIONS: dict[Mode, type[OptionsAnswer]] = {Mode.DIARIZATION: DiarizationOptionsAnswer}
IN_TRANSCRIPT = ("transcription", "segments", "speakers", "turns", "warnings")


def accepted(job: JobView, position: int | None) -> dict[str, Any]:
    """What createJob answers."""
    return {
        "job_uuid": job.id,
        "status": catalogue.text(f"job.{job.state}", locale()),
        "state": job.state,
        "position": position,
        "result_url": result_url(job.mode, job.id),
        "events_url": events_url(job.id),
    }


def described(job: JobView) -> dict[str, Any]:
    """A job, without its transcript."""
    return {
        **_standing(job),
        "priority": job.priority,
        "filename": job.filename,
        "content_type": job.content_type,
        "size_bytes": job.size_bytes,
        "cancel_requested": job.cancel_requested,
        "options": OPTIONS.get(job.mode, OptionsAnswer)().dump(asdict(job.options)),
        "result_url": result_url(job.mode, job.id),
        "events_url": events_url(job.id),
    }


def resulted(job: JobView, transcript: Transcript | None) -> dict[str, Any]:
    """A job's result; the transcript once it is completed."""
    if transcript is None:
        return _standing(job)
    heard = transcript_to_wire(transcript)
    return {**_standing(job), **{name: heard[name] for name in IN_TRANSCRIPT}}


def _standing(job: JobView) -> dict[str, Any]:
    """How a job stands; what cannot be told at this stage of its life is left out."""
    told = {
        "job_id": job.id,
        "job_uuid": job.id,
        "status": job.state,
        "mode": job.mode,
        "progress": round(job.progress, 4),
        "language": job.language or job.options.language,
        "duration": job.duration_s,
        "engine": job.engine,
        "model": job.model,
        "created_at": _utc(job.created_at),
        "started_at": _utc(job.started_at),
        "finished_at": _utc(job.finished_at),
        "metadata": job.metadata,
    }
    if job.state is JobState.QUEUED and job.position is not None:
        told["position"] = job.position
    if job.eta_s is not None:
        told["eta_seconds"] = round(job.eta_s, 1)
    if job.mode is Mode.STREAMING:
        told["refined_by"] = list(job.refined_by)
    if job.source_id is not None:
        told["source_id"] = job.source_id
    if job.error is not None:
        told["error"] = failed(job.error)
    return told


def failed(failure: JobFailure) -> dict[str, Any]:
    """Why a job failed."""
    return {
        "code": failure.code,
        "message": catalogue.failure_message(failure, locale()),
        "retryable": failure.retryable,
        "attempts": failure.attempts,
    }


def _utc(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC) if moment else None
