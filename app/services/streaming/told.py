"""What the client of a live session is told, whatever its dialect. Times are seconds from the session's start."""

from dataclasses import dataclass
from typing import Any

from app.domain.errors import ParloirError
from app.domain.job import JobFailure


@dataclass(frozen=True, slots=True)
class Partial:
    """What may be being said; `seq` is that of the final to come."""

    seq: int
    start_s: float
    end_s: float
    text: str


@dataclass(frozen=True, slots=True)
class SaidFinal:
    """Something said for good; `segment` is in the shape in which clients are sent it."""

    seq: int
    segment: dict[str, Any]
    speech_final: bool = True
    alternatives: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Ack:
    """How much is held, and how much the client need not keep; in the client's units."""

    received: int
    committed: int


@dataclass(frozen=True, slots=True)
class Heard:
    """The recogniser has consumed the sound before this byte."""

    read_byte: int
    committed_byte: int


@dataclass(frozen=True, slots=True)
class FlowAsked:
    """The client is asked to pause, or to go on."""

    is_paused: bool


@dataclass(frozen=True, slots=True)
class Tick:
    """A second has passed; it is nothing to the client."""


@dataclass(frozen=True, slots=True)
class Finished:
    """All is said: the session is completed. Nothing comes after it."""

    job_id: str
    text: str
    duration_s: float


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something went wrong, here or with the job; after a fatal trouble nothing comes."""

    error: ParloirError | JobFailure
    is_fatal: bool = True


Told = Partial | SaidFinal | Ack | Heard | FlowAsked | Tick | Finished | Trouble
