"""What a worker and its decoder process say to each other.

The request is the decoder's only argument, in JSON. The sound comes back on its standard output: float32 of the
machine's byte order, mono, 16 kHz, nothing else. Beside it, on a pipe of its own, two lines of JSON: `Opened` before
the first sample (left out if there is nothing to hear), `Ended` after the last.
"""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import IO


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to decode and how far to go. `memory_bytes` is what it may take beyond its own code.

    `channel` is the one of two to hear alone; None: all of them, mixed.

    Whoever starts the process adds `report_fd`, where it writes its lines, and `parent_pid`, with whom it ends.
    """

    path: str
    demuxer: str
    max_samples: int
    memory_bytes: int
    cpu_s: int
    channel: int | None = None
    report_fd: int = -1
    parent_pid: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What the container says of itself; `declared_s` is None where FFmpeg does not know."""

    declared_s: float | None
    codec: str
    rate_hz: int
    n_channels: int


class Outcome(StrEnum):
    """How a decoding ended."""

    COMPLETE = "complete"
    TOO_LONG = "too_long"
    WITHOUT_AUDIO = "without_audio"
    NOT_STEREO = "not_stereo"
    """One channel was asked for, and there are not two."""
    UNREADABLE = "unreadable"
    FAILED = "failed"
    """The decoder itself has a defect; the reason is for its makers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The end: how, why (if unreadable), and how many packets could not be decoded."""

    outcome: Outcome
    reason: str = ""
    n_damaged: int = 0


def tell(report: IO[str], message: Opened | Ended) -> None:
    """Write one line, at once."""
    report.write(json.dumps({"kind": type(message).__name__, **asdict(message)}) + "\n")
    report.flush()


def heard(line: bytes) -> Opened | Ended:
    """The message that `tell` wrote."""
    fields = json.loads(line)
    if fields.pop("kind") == Opened.__name__:
        return Opened(**fields)
    return Ended(**{**fields, "outcome": Outcome(fields["outcome"])})
