"""What the supervisor of live sessions and its children say to each other: lists of these, over a pipe.

`sid` names one opening of a session in a child; what is said of an earlier opening is thus not mistaken.
"""

from dataclasses import dataclass

from app.domain.errors import ParloirError
from app.domain.job import JobOptions
from app.domain.live import Mark, Step, StreamSpec
from app.helpers.quick_pickle import QuickPickle


@dataclass(frozen=True, slots=True)
class Open(QuickPickle):
    """To the child: listen to a session from `mark` on."""

    sid: int
    job_id: str
    spec: StreamSpec
    options: JobOptions
    mark: Mark


@dataclass(frozen=True, slots=True)
class Feed(QuickPickle):
    """To the child: sound that ends at `end_byte`, or a control (`kind`, as in `app.queues.live_input`)."""

    sid: int
    kind: str
    end_byte: int
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Close(QuickPickle):
    """To the child: forget this session."""

    sid: int


@dataclass(frozen=True, slots=True)
class Slots:
    """From the child, first of all: ready to listen to so many sessions."""

    n: int


@dataclass(frozen=True, slots=True)
class Guess(QuickPickle):
    """What is perhaps being said; times in seconds from the session's start."""

    seq: int
    start_s: float
    end_s: float
    text: str


@dataclass(frozen=True, slots=True)
class Said(QuickPickle):
    """From the child: sound up to `done_byte` (`n_samples` at 16 kHz) was heard; what came of it."""

    sid: int
    done_byte: int
    n_samples: int
    steps: tuple[Step, ...] = ()
    guess: Guess | None = None
    has_ended: bool = False


@dataclass(frozen=True, slots=True)
class Broke(QuickPickle):
    """From the child: this session cannot go on; `detail` is the traceback, for the operator only."""

    sid: int
    error: ParloirError
    detail: str | None = None


ToStreams = list[Open | Feed | Close]
FromStreams = list[Said | Broke]
