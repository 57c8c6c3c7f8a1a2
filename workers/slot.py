"""One slot of a worker: a child, and the loop that gives it jobs one after the other."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID, uuid4

import structlog

from app.domain.errors import Cancelled, ChildDied, EngineError, MediaUnreadable, NotFound, ParloirError, Unavailable
from app.domain.job import Mode
from app.helpers.backoff import backoff_s
from app.queues.hints import HintQueue
from app.services.jobs.claimed import ClaimedJob
from app.services.jobs.claims import Claims
from app.services.jobs.endings import Endings
from app.services.jobs.narrator import Narrator
from app.services.media.storage import Storage
from app.services.transcription.checkpoint import Checkpoint
from workers.attendance import Attendance, ChildCrashed, ChildTraceback, Drained, Fenced, Limits
from workers.engine_process import EngineProcess
from workers.messages import Found, Run

log = structlog.get_logger(__name__)

TAKE_S = 1.0
"""Longest wait for a hint at a time: how soon a stop is noticed."""

WITHOUT_REDIS_S = 0.5
UNSTORABLE = EngineError(reason="its result cannot be stored")


class NotBegun(Exception):
    """PostgreSQL went away before the run could begin: nobody is to blame, and no attempt is spent."""


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
        """Write it, and end the run; False if the job was no longer this run's."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What a slot works with."""

    mode: Mode
    queue: HintQueue
    claims: Claims
    endings: Endings
    outcome: Outcome
    narrator: Narrator
    storage: Storage
    start_child: Callable[[], EngineProcess]
    limits: Limits
    child_start_s: float
    recycle_rss_bytes: int
    hints_fail: Callable[[], bool] = lambda: False
    """Whether jobs wait that Redis takes no hints of."""


class Slot:
    """Takes jobs and sees each to its end."""

    def __init__(self, tools: Tools, stop: Stop) -> None:
        self._tools = tools
        self._stop = stop
        self._child: EngineProcess | None = None
        self._failed_starts = 0
        self.tally = Tally()

    def run(self) -> None:
        """Work until asked to stop."""
        try:
            while not self._stop.requested():
                child = self._ready_child()
                job = self._next_job() if child else None
                if child and job:
                    self._work(job, child)
        finally:
            self._end_child()

    def _ready_child(self) -> EngineProcess | None:
        if self._child and self._child.is_alive() and self._child.rss_bytes() <= self._tools.recycle_rss_bytes:
            return self._child
        self._end_child()
        child = self._tools.start_child()
        try:
            child.wait_ready(self._tools.child_start_s)
        except ChildDied as error:
            child.kill()
            self._failed_starts += 1
            log.error("child_does_not_start", reason=error.message, n=self._failed_starts)
            self._stop.wait(backoff_s(self._failed_starts, base_s=1.0, cap_s=30.0))
            return None
        self._child, self._failed_starts = child, 0
        return child

    def _end_child(self) -> None:
        if self._child:
            self._child.kill()
            self._child = None

    def _next_job(self) -> ClaimedJob | None:
        token = uuid4()
        try:
            return self._hinted_job(token)
        except Unavailable as error:
            log.warning("backing_service_unreachable", service=error.params["service"])
            self._stop.wait(WITHOUT_REDIS_S)
            return None

    def _hinted_job(self, token: UUID) -> ClaimedJob | None:
        try:
            hint = self._tools.queue.take(TAKE_S)
        except Unavailable:
            self._stop.wait(WITHOUT_REDIS_S)
            return self._tools.claims.claim_oldest(self._tools.mode, token)
        if hint:
            return self._claim(hint, token)
        return self._tools.claims.claim_oldest(self._tools.mode, token) if self._tools.hints_fail() else None

    def _claim(self, hint: str, token: UUID) -> ClaimedJob | None:
        try:
            return self._tools.claims.claim(hint, token)
        except Unavailable:
            # The answer may have been lost after the commit: the same token finds that out.
            return self._tools.claims.claim(hint, token)

    def _work(self, job: ClaimedJob, child: EngineProcess) -> None:
        self.tally.running = job.id
        started = time.monotonic()
        with structlog.contextvars.bound_contextvars(job_id=job.id, attempt=job.attempt):
            ending = self._ending(job, child)
            self._write(job, ending)
            log.info("run_ended", seconds=round(time.monotonic() - started, 3))
        self.tally.running = None

    def _ending(self, job: ClaimedJob, child: EngineProcess) -> Callable[[], bool]:
        """Run the job; returns what is to be written at its end."""
        endings = self._tools.endings
        try:
            found = self._found(job, child)
        except Fenced:
            return self._fenced()
        except Drained:
            self._end_child()
            return lambda: endings.release(job)
        except NotBegun:
            return lambda: endings.release(job)
        except ChildCrashed as crash:
            return self._crashed(job, crash.error)
        except Cancelled:
            return lambda: endings.cancel(job)
        except ParloirError as error:
            return self._failed(job, error)
        except Exception:  # what nobody foresaw fails its job, and must not end the slot
            log.exception("run_broke")
            self._end_child()
            return lambda: endings.fail(job, UNSTORABLE)
        self.tally.completed += 1
        return lambda: self._tools.outcome.keep(job, found)

    def _found(self, job: ClaimedJob, child: EngineProcess) -> Found | None:
        """What the child finds; None if an earlier run has found it, and only the end is missing."""
        try:
            if self._tools.outcome.is_known(job):
                return None
        except Unavailable as error:
            raise NotBegun from error
        return self._run(job, child)

    def _run(self, job: ClaimedJob, child: EngineProcess) -> Found:
        try:
            with self._recording(job) as path:
                checkpoint = self._checkpoint(job)
                child.send(Run(job.id, str(path) if path else None, job.audio_url, job.options, checkpoint))
                return self._attendance(job, child).attend()
        except NotFound as error:
            raise MediaUnreadable(reason="its recording is not on storage") from error
        except ChildDied as error:
            raise ChildCrashed(error) from error

    def _checkpoint(self, job: ClaimedJob) -> Checkpoint:
        try:
            return self._tools.claims.checkpoint(job)
        except Unavailable as error:
            raise NotBegun from error

    def _recording(self, job: ClaimedJob) -> AbstractContextManager[Path | None]:
        """The recording as a file; None if the child is to fetch it first."""
        return self._tools.storage.local_path(job.audio_key) if job.audio_key else nullcontext()

    def _attendance(self, job: ClaimedJob, child: EngineProcess) -> Attendance:
        tools = self._tools
        return Attendance(job, child, tools.claims, tools.narrator, tools.limits, self._stop.deadline)

    def _fenced(self) -> Callable[[], bool]:
        self.tally.fenced += 1
        self._end_child()
        log.warning("run_fenced")
        return lambda: True

    def _crashed(self, job: ClaimedJob, error: ParloirError) -> Callable[[], bool]:
        self.tally.crashes += 1
        self._end_child()
        log.error("child_lost", reason=error.message)
        return lambda: self._tools.endings.crash(job, error)

    def _failed(self, job: ClaimedJob, error: ParloirError) -> Callable[[], bool]:
        self.tally.failed += 1
        detail = error.__cause__.text if isinstance(error.__cause__, ChildTraceback) else None
        log.warning("run_failed", code=error.code, reason=error.message)
        return lambda: self._tools.endings.fail(job, error, detail)

    def _write(self, job: ClaimedJob, ending: Callable[[], bool]) -> None:
        """Write how a run ended; an ending that the table refuses fails its job, not the slot."""
        try:
            self._insist(ending)
        except Exception:
            log.exception("ending_refused")
            self._insist(lambda: self._tools.endings.fail(job, UNSTORABLE))

    def _insist(self, write: Callable[[], bool]) -> None:
        """Write the end of a run, waiting for PostgreSQL if need be; a result in hand is not thrown away."""
        n = 0
        while True:
            try:
                if not write():
                    self.tally.fenced += 1
                    log.warning("ending_fenced")
                return
            except Unavailable:
                n += 1
                log.warning("ending_waits_for_database", n=n)
                if self._stop.wait(backoff_s(n, base_s=0.2, cap_s=5.0)) and self._past_deadline():
                    return

    def _past_deadline(self) -> bool:
        deadline = self._stop.deadline()
        return deadline is not None and time.monotonic() > deadline
