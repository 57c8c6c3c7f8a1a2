"""What a supervisor and its child say to each other, over a pipe."""

import math
from dataclasses import dataclass

from app.domain.diarization import Diarization
from app.domain.errors import ParloirError
from app.domain.job import JobOptions
from app.domain.peaks import Peaks
from app.domain.transcript import Segment, Transcript
from app.helpers.quick_pickle import QuickPickle
from app.services.media.storage import StoredAudio
from app.services.transcription.checkpoint import Checkpoint, PartResult

Found = Transcript | Diarization
"""What a run finds, by its mode."""


@dataclass(frozen=True, slots=True)
class Run(QuickPickle):
    """Work on this file, or else fetch it from `audio_url` first; go on after the checkpoint."""

    job_id: str
    audio: str | None
    audio_url: str | None
    options: JobOptions
    checkpoint: Checkpoint


@dataclass(frozen=True, slots=True)
class Runs(QuickPickle):
    """To the child: do these, one after the other, after those that it has."""

    runs: tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Recall:
    """To the child: give up the runs that have not begun, and say which."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """To the child: stop the run of this job at the next chance."""

    job_id: str


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
class Recalled:
    """From the child: the jobs of the runs that it has given up; none of them had begun."""

    job_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Done(QuickPickle):
    """From the child: all that it was to find; the run is over, and took so many seconds."""

    found: Found
    seconds: float = math.inf


@dataclass(frozen=True, slots=True)
class Failed:
    """From the child: the run is over without a result; `detail` is the traceback, for the operator only."""

    error: ParloirError
    detail: str | None = None


ToChild = Runs | Recall | Cancel
FromChild = Ready | Fetching | Fetched | Duration | Progress | Heard | PartDone | Drawn | Recalled | Done | Failed
