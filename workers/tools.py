"""What a slot works with, and what it tells of itself."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from app.domain.job import Mode
from app.queues.hints import HintQueue
from app.services.jobs.claimed import ClaimedJob
from app.services.jobs.claims import Claims
from app.services.jobs.endings import Endings
from app.services.jobs.narrator import Narrator
from app.services.media.storage import Storage
from workers.attendance import Limits
from workers.engine_process import EngineProcess


class Stop(Protocol):
    """Tells a slot to stop: `requested` first, and from `deadline` (monotonic seconds) on without grace."""

    def requested(self) -> bool:
        """Whether no further job is to be taken."""

    def deadline(self) -> float | None:
        """When the running job must be given back; None while no stop is asked for."""

    def wait(self, timeout_s: float) -> bool:
        """Sleep, unless a stop is asked for; tells whether it is."""


@dataclass(slots=True)
class Tally:
    """What a slot has done since it started."""

    completed: int = 0
    failed: int = 0
    crashes: int = 0
    fenced: int = 0
    running: str | None = None


class Outcome(Protocol):
    """What becomes of what a mode's runs find."""

    def is_known(self, job: ClaimedJob) -> bool:
        """Whether an earlier run has found it already."""

    def keep(self, job: ClaimedJob, found: Any) -> bool:
        """Write it, and end the run; False if the job was no longer this run's. None: an earlier run has found it."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What a slot works with."""

    mode: Mode
    queue: HintQueue
    claims: Claims
    endings: Endings
    narrator: Narrator
    storage: Storage
    start_child: Callable[[], EngineProcess]
    limits: Limits
    child_start_s: float
    recycle_rss_bytes: int
    hints_fail: Callable[[], bool] = lambda: False
    """Whether jobs wait that Redis takes no hints of."""
    outcome: Outcome | None = None
    """What becomes of what this mode's runs find, if not just a transcript; then no job is ever claimed ahead."""
