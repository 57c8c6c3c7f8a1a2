"""The hidden jobs that bring the words of a diarization: how many, and what they are asked."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

from sqlalchemy import insert

from app.domain.job import SEPARATE, JobOptions, Mode
from app.domain.states import JobState
from app.models import Job
from app.services.database import Work
from app.services.diarization.asking import N_SEPARATE
from app.services.jobs.parking import NEVER
from app.services.jobs.views import options_from_dict, options_to_dict

SHARED = ("project_id", "priority", "filename", "content_type", "size_bytes", "sha256", "audio_key", "audio_url")


def insert_halves(work: Work, job: Job) -> list[Job]:
    """Write the halves of a job; gives those that are due. Without a recording yet, none is."""
    halves = [work.session.scalars(insert(Job).values(row).returning(Job)).one() for row in half_rows(job)]
    return [half for half in halves if half.audio_key is not None]


def half_rows(job: Job) -> list[dict[str, Any]]:
    """A half for the words, or one for the words of each channel; none if words are not wanted."""
    options = options_from_dict(job.options)
    if not options.transcribe:
        return []
    # Times are needed to join words with turns; whether the client wants to see them is looked at in the end.
    timed = replace(options, word_timestamps=True)
    if options.channels == SEPARATE:
        return [_row(job, replace(timed, channel=channel)) for channel in range(N_SEPARATE)]
    return [_row(job, timed)]


def _row(job: Job, options: JobOptions) -> dict[str, Any]:
    waits = {"run_at": NEVER} if job.audio_key is None else {}
    return {
        **{name: getattr(job, name) for name in SHARED},
        "id": uuid4(),
        "parent_id": job.id,
        "mode": Mode.BATCH.value,
        "state": JobState.QUEUED.value,
        "estimated_s": job.estimated_s,
        "options": options_to_dict(options),
        "meta": {},
        **waits,
    }
