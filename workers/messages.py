"""What a supervisor and its child say to each other, over a pipe."""

from dataclasses import dataclass

from app.domain.errors import ParloirError
from app.domain.job import JobOptions
from app.domain.peaks import Peaks
from app.domain.transcript import Segment, Transcript
from app.services.media.storage import StoredAudio
from app.services.transcription.checkpoint import Checkpoint, PartResult


@dataclass(frozen=True, slots=True)
class Run:
    """To the child: transcribe this file, or else fetch it from `audio_url` first; go on after the checkpoint."""

    job_id: str
    audio: str | None
    audio_url: str | None
    options: JobOptions
    checkpoint: Checkpoint


@dataclass(frozen=True, slots=True)
class Cancel:
    """To the child: stop the run at the next chance."""


@dataclass(frozen=True, slots=True)
class Ready:
    """From the child: started, and waiting for a run."""


@dataclass(frozen=True, slots=True)
class Fetching:
    """From the child: so many bytes of the recording are here, of so many if that is known."""

    n_bytes: int
    total_bytes: int | None


@dataclass(frozen=True, slots=True)
class Fetched:
    """From the child: the recording is on storage; to be noted, so that it is not fetched again."""

    stored: StoredAudio


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
class Drawn:
    """From the child: the outline of the recording, to be kept."""

    peaks: Peaks


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
FromChild = Ready | Fetching | Fetched | Duration | Progress | Heard | PartDone | Drawn | Done | Failed
