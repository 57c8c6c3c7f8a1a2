"""Jobs that have ended, to be gone on from: their recording, and their words or turns, are used again."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, literal, select

from app.domain.errors import Conflict, InvalidFields, RecordingRemoved
from app.domain.job import SEPARATE, JobOptions, Mode
from app.domain.principal import Principal
from app.domain.states import JobState
from app.models import Job, JobTranscript, JobTurns
from app.services.database import Work
from app.services.jobs.catalogue import find
from app.services.jobs.views import options_from_dict

RECORDING = ("filename", "content_type", "size_bytes", "sha256", "audio_key", "estimated_s", "duration_s")


@dataclass(frozen=True, slots=True)
class Source:
    """A completed job; `has_words` False: only who spoke when is known of it. Locked until the transaction ends."""

    id: UUID
    has_words: bool
    recording: dict[str, Any]
    heard: dict[str, Any]


def find_source(work: Work, principal: Principal, job_id: str, options: JobOptions) -> Source:
    """The job to go on from.

    Raises:
        NotFound: unknown, or of another project.
        Conflict: it is not completed.
        RecordingRemoved: its recording is no longer kept.
        InvalidFields: what is asked cannot be done with what it has.
    """
    job = find(work, principal, job_id, lock=True)
    if job.state != JobState.COMPLETED:
        raise Conflict(state=job.state)
    if job.audio_key is None:
        raise RecordingRemoved
    if options.channels == SEPARATE:
        message = "Only with a recording of its own: what was said in a finished job is not known by channel."
        raise InvalidFields({"channels": [message]})
    return Source(
        id=job.id,
        has_words=job.mode != Mode.DIARIZATION or options_from_dict(job.options).transcribe,
        recording={name: getattr(job, name) for name in RECORDING},
        heard={name: getattr(job, name) for name in ("language", "engine", "model", "duration_s")},
    )


def copy_words(work: Work, source: Source, half: dict[str, Any]) -> None:
    """Write the half as one that has done its work already: with the words of the source."""
    done = {"state": JobState.COMPLETED.value, "progress": 1.0, "finished_at": func.now(), "run_at": func.now()}
    work.session.execute(insert(Job).values({**half, **done, **source.heard}))
    names = ["text", "segments", "speakers", "warnings"]
    words = select(literal(half["id"]), *(getattr(JobTranscript, name) for name in names))
    of_source = words.where(JobTranscript.job_id == source.id)
    work.session.execute(insert(JobTranscript).from_select(["job_id", *names], of_source))


def copy_turns(work: Work, source: Source, job_id: UUID) -> None:
    """Give the job the turns of the source."""
    names = ["turns", "engine", "model", "duration_s", "warnings"]
    turns = select(literal(job_id), *(getattr(JobTurns, name) for name in names))
    of_source = turns.where(JobTurns.job_id == source.id)
    work.session.execute(insert(JobTurns).from_select(["job_id", *names], of_source))
