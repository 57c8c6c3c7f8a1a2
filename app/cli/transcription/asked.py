"""What the command line asks for, who can do it, and how that can fail."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from app.cli.transcription.bar import Bar
from app.domain.errors import InvalidFields, ParloirError
from app.domain.job import JobOptions


@dataclass(frozen=True, slots=True)
class Asked:
    """The same for every file of one command."""

    options: JobOptions
    format_name: str


class FileFailed(Exception):
    """This file could not be transcribed; the next one may."""


class WrongRequest(Exception):
    """What was asked for cannot be done for any file."""


class ServiceUnreachable(Exception):
    """Nobody answers at the service's address, or not as the service would."""


class Transcribes(Protocol):
    """Something that makes transcripts of files."""

    def transcribe(self, path: Path, bar: Bar) -> str:
        """The file's transcript in the format asked for.

        Raises:
            FileFailed, WrongRequest, ServiceUnreachable: see there.
        """


def told(error: ParloirError) -> str:
    """The error in one line, with every field that was wrong."""
    if isinstance(error, InvalidFields):
        return " ".join(f"{field}: {message}" for field, messages in error.errors.items() for message in messages)
    return error.message
