"""A job in the hands of a worker."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.domain.job import SEPARATE, JobOptions, Mode
from app.models import Job
from app.services.jobs.views import options_from_dict


@dataclass(frozen=True, slots=True)
class ClaimedJob:
    """What a run needs to know. `token` must come with everything that the run writes.

    Without an `audio_key` the recording is still to be fetched from `audio_url`; `estimated_s` guesses its length. A
    `parent_id` is that of the job whose half this is.
    """

    id: str
    project_id: str
    mode: Mode
    token: UUID
    attempt: int
    failures: int
    crashes: int
    options: JobOptions
    audio_key: str | None
    audio_url: str | None
    filename: str
    callback_url: str | None = None
    estimated_s: float = 0.0
    parent_id: UUID | None = None

    @property
    def n_shares(self) -> int:
        """In how many equal shares its progress is made: this run's, and those of its halves."""
        if self.mode is not Mode.DIARIZATION or not self.options.transcribe:
            return 1
        return 3 if self.options.channels == SEPARATE else 2


COLUMNS = (
    Job.id,
    Job.project_id,
    Job.mode,
    Job.attempt,
    Job.failures,
    Job.crashes,
    Job.options,
    Job.audio_key,
    Job.audio_url,
    Job.filename,
    Job.callback_url,
    Job.estimated_s,
    Job.parent_id,
)
"""What `claimed` reads of a row."""
_NAMES = tuple(column.key for column in COLUMNS)


def claimed(job: Job, token: UUID) -> ClaimedJob:
    """The worker's view of a row it owns."""
    return claimed_values(tuple(getattr(job, name) for name in _NAMES), token)


def claimed_values(row: tuple[Any, ...], token: UUID) -> ClaimedJob:
    """The same from the bare values of `COLUMNS`."""
    values = dict(zip(_NAMES, row, strict=True))
    values |= {"id": str(values["id"]), "mode": Mode(values["mode"]), "options": options_from_dict(values["options"])}
    return ClaimedJob(token=token, **values)
