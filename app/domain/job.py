"""A job as the services speak of it: what was asked, and what can be told about it."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from app.domain.states import JobState
from app.helpers.quick_pickle import QuickPickle


class Mode(StrEnum):
    """Which queue and which worker a job is for."""

    BATCH = "batch"
    STREAMING = "streaming"
    DIARIZATION = "diarization"

    @property
    def queue(self) -> str:
        """The name of the queue in Redis."""
        return f"{self.value}_queue"


class Priority(StrEnum):
    """Classes of urgency; within one, projects share fairly."""

    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 is served first."""
        return list(Priority).index(self)


MIXED, SEPARATE = "mix", "separate"


@dataclass(frozen=True, slots=True)
class JobOptions(QuickPickle):
    """How a recording is to be transcribed, as the client asked; None means: the service decides.

    The fields from `transcribe` on are for diarization. `channels` is `mix` (one sound, told apart by voice) or
    `separate` (a speaker a channel); `channel` is the one that is heard alone, None: all of them.
    """

    language: str | None = None
    engine: str | None = None
    model: str | None = None
    task: str = "transcribe"
    prompt: str | None = None
    hotwords: tuple[str, ...] = ()
    word_timestamps: bool = True
    trim_silence: bool = False
    transcribe: bool = True
    n_speakers: int | None = None
    min_speakers: int | None = None
    max_speakers: int | None = None
    diarization_engine: str | None = None
    diarization_model: str | None = None
    channels: str = MIXED
    channel: int | None = None


@dataclass(frozen=True, slots=True)
class JobFailure:
    """Why a job failed, for people and for programs."""

    code: str
    message: str
    retryable: bool
    attempts: int
    params: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JobView:
    """All that a client may know about one of its jobs.

    `progress` is 0…1; `seq` is the sequence number of the event that brought the job into this state. `source_id` is
    the live job whose sound this one works on, `refined_by` are the jobs that work on the sound of this one.
    """

    id: str
    project_id: str
    mode: Mode
    state: JobState
    priority: Priority
    options: JobOptions
    filename: str
    content_type: str
    size_bytes: int
    progress: float
    attempt: int
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    position: int | None = None
    eta_s: float | None = None
    cancel_requested: bool = False
    duration_s: float | None = None
    language: str | None = None
    engine: str | None = None
    model: str | None = None
    error: JobFailure | None = None
    seq: int = 0
    metadata: dict[str, Any] = field(default_factory=dict)
    source_id: str | None = None
    refined_by: tuple[str, ...] = ()


SEQ_PER_ATTEMPT = 1_000_000
SEQ_REQUEUED = SEQ_PER_ATTEMPT - 2
SEQ_ENDED = SEQ_PER_ATTEMPT - 1


def seq_of_state(state: JobState, attempt: int) -> int:
    """The sequence number of the event that a job in its `attempt`-th run has come into `state`.

    Events are numbered `attempt * SEQ_PER_ATTEMPT + n`: no counter that could be lost, and always growing.
    """
    if state.is_final:
        return attempt * SEQ_PER_ATTEMPT + SEQ_ENDED
    if state is JobState.QUEUED and attempt:
        return attempt * SEQ_PER_ATTEMPT + SEQ_REQUEUED
    return attempt * SEQ_PER_ATTEMPT
