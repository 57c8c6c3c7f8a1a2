"""Dead letters: jobs that failed for good, as an operator sees them, over all projects."""

from dataclasses import dataclass
from datetime import datetime

from app.domain.errors import ParloirError
from app.domain.job import JobFailure, Mode
from app.domain.states import JobState


@dataclass(frozen=True, slots=True)
class RunError:
    """One run that did not end well. `kind` is failure or crash; `detail` is the traceback, without secrets."""

    at: datetime
    attempt: int
    kind: str
    code: str
    message: str
    detail: str | None
    worker: str | None


@dataclass(frozen=True, slots=True)
class DeadJob:
    """A job as an operator needs it, whatever its project.

    Only what `list_dead` gives is sure to be FAILED. `error` is None while a job has not failed; `has_recording` is
    False once its recording is no longer kept.
    """

    id: str
    project_id: str
    mode: Mode
    state: JobState
    filename: str
    size_bytes: int
    has_recording: bool
    duration_s: float | None
    engine: str | None
    model: str | None
    worker: str | None
    attempt: int
    failures: int
    crashes: int
    releases: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: JobFailure | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A job that was left as it is, and why."""

    id: str
    error: ParloirError


@dataclass(frozen=True, slots=True)
class Handled:
    """What came of an order for many jobs; `has_more`: others that it is for are left, to be asked for again."""

    done: tuple[str, ...]
    refused: tuple[Refusal, ...] = ()
    has_more: bool = False
