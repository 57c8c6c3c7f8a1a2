"""What the command and its engine process say to each other, over a pipe."""

from dataclasses import dataclass

from app.domain.errors import ParloirError
from app.domain.job import JobOptions
from app.domain.transcript import Transcript


@dataclass(frozen=True, slots=True)
class Transcribe:
    """To the process: transcribe this file."""

    path: str
    options: JobOptions


@dataclass(frozen=True, slots=True)
class Progress:
    """From the process: the fraction done, 0…1."""

    fraction: float


@dataclass(frozen=True, slots=True)
class Done:
    """From the process: the file's transcript."""

    transcript: Transcript


@dataclass(frozen=True, slots=True)
class Failed:
    """From the process: the file's failure."""

    error: ParloirError


FromProcess = Progress | Done | Failed
