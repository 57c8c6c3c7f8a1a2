"""How sessions leave this worker: written to the table for as long as that takes, then told."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import structlog

from app.audio.sound import RATE_HZ
from app.domain.errors import ParloirError, Poisoned, Unavailable
from app.domain.states import JobState
from app.helpers.backoff import backoff_s
from app.queues.hints import Hint, HintQueue
from app.queues.live_output import LiveMessage
from app.services.jobs.endings import Endings, RetryPolicy
from app.services.streaming.finishing import Finishing
from app.services.streaming.opening import COST_S
from workers.streaming.board import Leaving, LiveRun
from workers.streaming.minutes import Minutes
from workers.streaming.teller import Teller
from workers.tools import Stop, Tally
from workers.writing import UNSTORABLE

log = structlog.get_logger(__name__)

AT_ONCE = 4


class Departures:
    """Ends runs, some at a time, in threads of its own: one with hours of sound to keep holds up no other."""

    def __init__(
        self,
        endings: Endings,
        finishing: Finishing,
        policy: RetryPolicy,
        queue: HintQueue,
        minutes: Minutes,
        teller: Teller,
        tally: Tally,
        stop: Stop,
    ) -> None:
        self._endings = endings
        self._finishing = finishing
        self._policy = policy
        self._queue = queue
        self._minutes = minutes
        self._teller = teller
        self._tally = tally
        self._stop = stop
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="leaving")

    def begin(self, run: LiveRun, leaving: Leaving) -> None:
        """See a run off."""
        self._pool.submit(self._see_off, run, leaving)

    def release(self, run: LiveRun) -> bool:
        """Give a session back, so that another worker goes on with it: nobody is to blame. False if it was not ours.

        Raises:
            Unavailable: PostgreSQL cannot be reached.
        """
        held = self._endings.release(run.job)
        if held:
            self._offer(run)
        return held

    def close(self) -> None:
        """Wait for those that are being seen off."""
        self._pool.shutdown(wait=True)

    def _see_off(self, run: LiveRun, leaving: Leaving) -> None:
        with structlog.contextvars.bound_contextvars(job_id=run.job.id, attempt=run.job.attempt):
            try:
                self._end(run, leaving)
            except Exception:
                log.exception("session_end_refused")
                self._end(run, Leaving("fail", UNSTORABLE))
            finally:
                self._minutes.close(run)

    def _end(self, run: LiveRun, leaving: Leaving) -> None:
        match leaving.how:
            case "complete":
                self._complete(run)
            case "cancel":
                self._cancel(run)
            case "fail":
                self._fail(run, leaving)
            case "crash":
                self._crash(run, leaving)
            case "release":
                self._insist(lambda: self.release(run))

    def _complete(self, run: LiveRun) -> None:
        duration_s = run.n_samples / RATE_HZ
        if self._insist(lambda: self._finishing.complete(run.job, run.spec, duration_s)):
            self._tally.completed += 1
            self._over(run, run.message("completed", duration=round(duration_s, 3)))

    def _cancel(self, run: LiveRun) -> None:
        if self._insist(lambda: self._endings.cancel(run.job)):
            self._over(run, run.message("ended", state=JobState.CANCELLED.value))

    def _fail(self, run: LiveRun, leaving: Leaving) -> None:
        error = leaving.error or UNSTORABLE
        log.warning("session_failed", code=error.code, reason=error.message)
        self._tally.failed += 1
        if not self._insist(lambda: self._endings.fail(run.job, error, leaving.detail)):
            return
        if not (error.retryable and run.job.failures + 1 < self._policy.max_attempts):
            self._over(run, _told(run, error))

    def _crash(self, run: LiveRun, leaving: Leaving) -> None:
        error = leaving.error or UNSTORABLE
        job = replace(run.job, crashes=run.crashes)
        crashes = job.crashes + 1
        if not self._insist(lambda: self._endings.crash(job, error)):
            return
        if crashes >= self._policy.max_crashes:
            self._over(run, _told(run, Poisoned(crashes=crashes)))
        else:
            self._offer(run)

    def _over(self, run: LiveRun, message: LiveMessage) -> None:
        self._teller.say([message])
        self._teller.forget(run.job.id)

    def _offer(self, run: LiveRun) -> None:
        try:
            self._queue.offer(Hint(run.job.id, run.job.project_id, 1, COST_S))
        except Unavailable:
            log.warning("hint_not_offered")  # the next one who looks finds the row

    def _insist(self, write: Callable[[], bool]) -> bool:
        """Write the end of a run, waiting for what is away if need be; False if it was no longer ours."""
        n = 0
        while True:
            try:
                held = write()
            except Unavailable as error:
                n += 1
                log.warning("ending_waits", service=error.params["service"], n=n)
                if self._stop.wait(backoff_s(n, base_s=0.2, cap_s=5.0)) and _is_over(self._stop):
                    return False
            else:
                if not held:
                    self._tally.fenced += 1
                    log.warning("ending_fenced")
                return held


def _is_over(stop: Stop) -> bool:
    deadline = stop.deadline()
    return deadline is not None and time.monotonic() > deadline


def _told(run: LiveRun, error: ParloirError) -> LiveMessage:
    params = {name: str(value) for name, value in error.params.items()}
    return run.message("error", code=error.code, params=params, fatal=True)
