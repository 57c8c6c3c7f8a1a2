"""What a supervisor and its child say to each other, over a pipe."""

from dataclasses import dataclass

from app.domain.errors import ParloirError
from app.domain.job import JobOptions
from app.domain.transcript import Segment, Transcript
from app.services.transcription.checkpoint import Checkpoint, PartResult


@dataclass(frozen=True, slots=True)
class Run:
    """To the child: transcribe this file, going on after the checkpoint."""

    job_id: str
    audio: str
    options: JobOptions
    checkpoint: Checkpoint


@dataclass(frozen=True, slots=True)
class Cancel:
    """To the child: stop the run at the next chance."""


@dataclass(frozen=True, slots=True)
class Ready:
    """From the child: started, and waiting for a run."""


@dataclass(frozen=True, slots=True)
class Duration:
    """From the child: how long the recording is, as far as known."""

    duration_s: float


@dataclass(frozen=True, slots=True)
class Progress:
    """From the child: the fraction done, 0…1."""

    fraction: float


@dataclass(frozen=True, slots=True)
class Heard:
    """From the child: a segment, as soon as it is known."""

    segment: Segment


@dataclass(frozen=True, slots=True)
class PartDone:
    """From the child: a finished part, to be kept."""

    part: PartResult


@dataclass(frozen=True, slots=True)
class Done:
    """From the child: the whole transcript; the run is over."""

    transcript: Transcript


@dataclass(frozen=True, slots=True)
class Failed:
    """From the child: the run is over without a result; `detail` is the traceback, for the operator only."""

    error: ParloirError
    detail: str | None = None


ToChild = Run | Cancel
FromChild = Ready | Duration | Progress | Heard | PartDone | Done | Failed
