"""One slot of a worker: a child, and the loop that gives it jobs one after the other."""

import time
from collections.abc import Callable

import structlog

from app.domain.errors import Cancelled, ChildDied, ParloirError
from app.domain.transcript import Transcript
from app.helpers.backoff import backoff_s
from app.helpers.pace import Pace
from app.services.jobs.claimed import ClaimedJob
from app.services.jobs.completing import Result
from workers.attendance import Attendance, ChildCrashed, ChildTraceback, Drained, Fenced, NotBegun
from workers.engine_process import EngineProcess
from workers.messages import Done, Found
from workers.stretch import Given, Stretch
from workers.taking import Taker
from workers.tools import Stop, Tally, Tools
from workers.writing import UNSTORABLE, Writer

log = structlog.get_logger(__name__)

Ending = Callable[[], bool]


class Slot:
    """Takes jobs and sees each to its end."""

    def __init__(self, tools: Tools, stop: Stop) -> None:
        self.tally = Tally()
        self._tools = tools
        self._stop = stop
        self._taker = Taker(tools, stop)
        self._writer = Writer(tools, stop, self.tally)
        self._pace = Pace()
        self._child: EngineProcess | None = None
        self._failed_starts = 0

    def run(self) -> None:
        """Work until asked to stop."""
        try:
            while not self._stop.requested():
                child = self._ready_child()
                job = self._taker.next_job() if child else None
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

    def _work(self, job: ClaimedJob, child: EngineProcess) -> None:
        """See a job to its end, and those that are claimed meanwhile because it and they are short."""
        stretch = Stretch(child, self._tools, self._stop, self._writer)
        stretch.give([job])
        may_take = True
        while stretch.front:
            self._see_to_its_end(stretch.front, stretch)
            if self._child is not child or not child.is_alive():
                stretch.release_all()
                break
            may_take = may_take and not self._stop.requested() and self._take_more(stretch)
        self._writer.write_all()
        self.tally.running = None

    def _take_more(self, stretch: Stretch) -> bool:
        """Claim ahead if jobs are short and few are left; whether that may be tried again."""
        n_left, n_ahead = stretch.n_behind + bool(stretch.front), self._pace.n_ahead()
        if n_left > n_ahead // 2 or not n_ahead:
            return True
        if stretch.child.rss_bytes() > self._tools.recycle_rss_bytes:
            return False
        jobs, may_take = self._taker.more(n_ahead - n_left, self._pace)
        if jobs:
            stretch.give(jobs)
        return may_take

    def _see_to_its_end(self, given: Given, stretch: Stretch) -> None:
        job = given.job
        self.tally.running = job.id
        started = time.monotonic()
        with structlog.contextvars.bound_contextvars(job_id=job.id, attempt=job.attempt):
            ending = self._ending(given, stretch)
            stretch.advance()
            if ending:
                self._writer.write(job, ending)
            stretch.meanwhile()
            log.info("run_ended", seconds=round(time.monotonic() - started, 3))

    def _ending(self, given: Given, stretch: Stretch) -> Ending | None:
        """Attend to the run; returns what is to be written at its end, if that is not a result."""
        try:
            return self._found(given, stretch)
        except Exception as error:  # noqa: BLE001 - what nobody foresaw fails its job, and must not end the slot
            self._pace.forget()
            return self._gone_wrong(given.job, error)

    def _found(self, given: Given, stretch: Stretch) -> Ending | None:
        if given.refusal:
            raise given.refusal
        if given.is_known:
            return self._kept(given.job, None)
        done = self._attended(given, stretch)
        if self._tools.outcome:
            return self._kept(given.job, done.found)
        self._succeeded(given.job, done)
        return None

    def _attended(self, given: Given, stretch: Stretch) -> Done:
        tools = self._tools
        return Attendance(
            given.job, stretch.child, tools.claims, tools.narrator, tools.limits, self._stop.deadline, stretch
        ).attend()

    def _kept(self, job: ClaimedJob, found: Found | None) -> Ending:
        outcome = self._tools.outcome
        assert outcome, "only modes that have one come here"
        self.tally.completed += 1
        return lambda: outcome.keep(job, found)

    def _succeeded(self, job: ClaimedJob, done: Done) -> None:
        assert isinstance(done.found, Transcript), "what else there is to find has an outcome of its own"
        self._pace.ran(done.seconds, job.estimated_s)
        self.tally.completed += 1
        self._writer.hold(Result(job, done.found))

    def _gone_wrong(self, job: ClaimedJob, error: Exception) -> Ending:
        endings = self._tools.endings
        match error:
            case Fenced():
                return self._fenced()
            case Drained():
                self._end_child()
                return lambda: endings.release(job)
            case NotBegun():
                return lambda: endings.release(job)
            case ChildCrashed():
                return self._crashed(job, error.error)
            case Cancelled():
                return lambda: endings.cancel(job)
            case ParloirError():
                return self._failed(job, error)
        log.error("run_broke", exc_info=error)
        self._end_child()
        return lambda: endings.fail(job, UNSTORABLE)

    def _fenced(self) -> Ending:
        self.tally.fenced += 1
        self._end_child()
        log.warning("run_fenced")
        return lambda: True

    def _crashed(self, job: ClaimedJob, error: ParloirError) -> Ending:
        self.tally.crashes += 1
        self._end_child()
        log.error("child_lost", reason=error.message)
        return lambda: self._tools.endings.crash(job, error)

    def _failed(self, job: ClaimedJob, error: ParloirError) -> Ending:
        self.tally.failed += 1
        detail = error.__cause__.text if isinstance(error.__cause__, ChildTraceback) else None
        log.warning("run_failed", code=error.code, reason=error.message)
        return lambda: self._tools.endings.fail(job, error, detail)
