"""Attending to one run: what the child says goes out, signs of life go to the database, nothing goes on for ever."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NoReturn, Protocol

import structlog

from app.domain.errors import Cancelled, ChildDied, OutOfMemory, ParloirError, Unavailable
from app.domain.job import SEQ_PER_ATTEMPT
from app.domain.peaks import Peaks
from app.exports.wire import segment_to_wire
from app.queues.events import Event
from app.services.jobs.claimed import ClaimedJob
from app.services.jobs.claims import Claims
from app.services.jobs.narrator import Narrator
from app.services.media.storage import StoredAudio
from workers.engine_process import EngineProcess
from workers.messages import (
    Cancel,
    Done,
    Drawn,
    Duration,
    Failed,
    Fetched,
    Fetching,
    FromChild,
    Heard,
    PartDone,
    Progress,
    Recalled,
)

log = structlog.get_logger(__name__)

CANCEL_GRACE_S = 5.0
PROGRESS_EVERY_S = 0.5
LOOK_EVERY_S = 0.25
LOOK_SOON_S = 0.05
PAUSE_S = 2.0
"""Before a worker that stops gives its job back: time for the child to come to the end of a segment."""


class Fenced(Exception):
    """The job is no longer this run's: another has taken it, or it is gone. Nothing more may be written."""


class NotBegun(Exception):
    """The run never began: PostgreSQL went away before, or it was called back. No attempt is spent."""


class Drained(Exception):
    """The worker stops, and the time that the run had to end is over."""


class ChildCrashed(Exception):
    """The child was lost, or had to be ended; `error` says why."""

    def __init__(self, error: ParloirError) -> None:
        super().__init__(error.message)
        self.error = error


class Beside(Protocol):
    """What goes on beside a run."""

    @property
    def is_patient(self) -> bool:
        """Whether nothing has to be seen to soon."""

    def meanwhile(self) -> None:
        """See to it; called often."""

    def called_back(self, job_ids: Sequence[str]) -> None:
        """The child will not do these jobs that it was given."""


@dataclass(frozen=True, slots=True)
class Limits:
    """When to beat, and when to end a child: times in seconds, memory in bytes."""

    beat_s: float
    stall_s: float
    max_rss_bytes: int


@dataclass(slots=True)
class Attendance:
    """One run from start to end; `attend` returns what it came to or raises how else it ended."""

    job: ClaimedJob
    child: EngineProcess
    claims: Claims
    narrator: Narrator
    limits: Limits
    drain_deadline: Callable[[], float | None]
    beside: Beside
    clock: Callable[[], float] = time.monotonic
    progress: float = 0.0
    duration_s: float | None = None
    n_told: int = 0
    unnoted: StoredAudio | None = None
    unkept: list[PartDone] = field(default_factory=list)
    is_pausing: bool = False
    cancelled_at: float | None = None
    told_at: float = 0.0
    is_certain: bool = False
    asked_at: float | None = None
    beat_at: float = field(init=False)
    heard_at: float = field(init=False)

    def attend(self) -> Done:
        """Stay with the run until it ends.

        Raises:
            Fenced, Drained, ChildCrashed: see there; the child is to be killed.
            NotBegun: see there.
            ParloirError: the run failed, or was cancelled.
        """
        self.beat_at = self.heard_at = self.clock()
        while True:
            message = self._receive()
            if isinstance(message, Done):
                self._wait_until_noted()
                return message
            if isinstance(message, Failed):
                self._raise(message)
            if message is not None:
                self._hear(message)
            self._look()

    def _raise(self, failed: Failed) -> NoReturn:
        if self.is_pausing and isinstance(failed.error, Cancelled):
            raise Drained
        raise failed.error from ChildTraceback(failed.detail)

    def _receive(self) -> FromChild | None:
        until_beat_s = self.beat_at + self.limits.beat_s - self.clock()
        try:
            return self.child.receive(min(until_beat_s, LOOK_EVERY_S if self.beside.is_patient else LOOK_SOON_S))
        except ChildDied as error:
            if self.cancelled_at is not None:
                raise Cancelled from error
            raise ChildCrashed(error) from error

    def _hear(self, message: FromChild) -> None:
        self.heard_at = self.clock()
        match message:
            case Fetching(n_bytes, total_bytes):
                self._tell("progress", progress=self._told(), fetched_bytes=n_bytes, total_bytes=total_bytes)
            case Fetched(stored):
                self.unnoted = stored
                self._note_recording()
            case Duration(duration_s):
                self.duration_s = duration_s
            case Progress(fraction):
                self._progressed(fraction)
            case Heard(segment):
                self._tell("segment", segment=segment_to_wire(segment))
            case PartDone():
                self.unkept.append(message)
                self._keep_parts()
            case Recalled(job_ids):
                self.beside.called_back(job_ids)
                if self.job.id in job_ids:
                    raise NotBegun
            case Drawn(peaks):
                self._keep_outline(peaks)
            case _:
                log.warning("child_said_something_odd", message=type(message).__name__)

    def _progressed(self, fraction: float) -> None:
        self.progress = max(self.progress, fraction)
        if self.clock() - self.told_at >= PROGRESS_EVERY_S:
            self.told_at = self.clock()
            self._tell("progress", progress=self._told())

    def _told(self) -> float:
        """How far the job is at least: of its halves this run knows nothing."""
        return round(self.progress / self.job.n_shares, 4)

    def _tell(self, kind: str, **fields: object) -> None:
        if not self._is_certain():
            return
        self.n_told += 1
        seq = self.job.attempt * SEQ_PER_ATTEMPT + self.n_told
        self.narrator.tell(Event(self.job.id, seq, kind, fields))

    def _is_certain(self) -> bool:
        """Whether the claim is on disk.

        One that is not may be forgotten when PostgreSQL crashes; the next run would have the same number, and Redis
        would refuse its events as told before. So a run says nothing until it is certain of its number.
        """
        now = self.clock()
        if self.is_certain or (self.asked_at is not None and now - self.asked_at < self.limits.beat_s):
            return self.is_certain
        self.asked_at = now
        try:
            self.is_certain = self.claims.make_certain(self.job)
        except Unavailable:
            return False  # asked again a beat later
        if not self.is_certain:
            raise Fenced
        return True

    def _keep_parts(self) -> None:
        while self.unkept:
            try:
                kept = self.claims.store_part(self.job, self.unkept[0].part)
            except Unavailable:
                log.warning("part_not_kept", part=self.unkept[0].part.index)  # tried again at the next beat
                return
            if not kept:
                raise Fenced
            del self.unkept[0]

    def _keep_outline(self, peaks: Peaks) -> None:
        try:
            if not self.claims.store_peaks(self.job, peaks):
                raise Fenced
        except Unavailable:
            log.warning("outline_not_kept")  # a transcript does without: no run is done again for it

    def _note_recording(self) -> None:
        if self.unnoted is None:
            return
        try:
            noted = self.claims.fetched(self.job, self.unnoted)
        except Unavailable:
            log.warning("recording_not_noted")  # tried again at the next beat
            return
        if not noted:
            raise Fenced
        self.unnoted = None

    def _wait_until_noted(self) -> None:
        """A job does not end before its row tells where its recording is."""
        self._note_recording()
        while self.unnoted is not None:
            time.sleep(LOOK_EVERY_S)
            self._look()

    def _look(self) -> None:
        self.beside.meanwhile()
        now = self.clock()
        if now - self.beat_at >= self.limits.beat_s:
            self.beat_at = now
            self._beat()
        if self.cancelled_at is not None and now - self.cancelled_at > CANCEL_GRACE_S:
            self.child.kill()
            raise Cancelled
        if now - self.heard_at > self.limits.stall_s:
            raise ChildCrashed(ChildDied(reason=f"it said nothing for {self.limits.stall_s:.0f} s"))
        deadline = self.drain_deadline()
        if deadline is not None:
            self._drain(deadline - now)

    def _drain(self, left_s: float) -> None:
        """Near the end of the time to end: ask the child to pause, so that what it has done so far is kept."""
        if left_s < 0:
            raise Drained
        if left_s < PAUSE_S and not self.is_pausing:
            self.is_pausing = True
            self.child.send(Cancel(self.job.id))

    def _beat(self) -> None:
        if self.child.rss_bytes() > self.limits.max_rss_bytes:
            raise ChildCrashed(OutOfMemory())
        self._note_recording()
        self._keep_parts()
        try:
            answer = self.claims.beat(self.job, self.progress, self.duration_s)
        except Unavailable:
            log.warning("beat_missed")  # while nobody can see the row, nobody can take it either
            return
        if answer is None:
            raise Fenced
        if answer.cancel_requested and self.cancelled_at is None:
            self.cancelled_at = self.clock()
            self.child.send(Cancel(self.job.id))


class ChildTraceback(Exception):
    """Carries the child's traceback along as the cause of its error."""

    def __init__(self, text: str | None) -> None:
        super().__init__(text or "")
        self.text = text
