"""The jobs that a child was given: one, or, when jobs are short, some behind it that were claimed ahead.

The child does them one after the other and answers in that order, so that whatever happens is the front job's: those
behind it have not begun. They are beaten with it, called back when it takes longer than was thought or the worker
stops, and given back without blame when the child is lost.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from app.domain.errors import ChildDied, MediaUnreadable, NotFound, Unavailable
from app.services.jobs.claimed import ClaimedJob
from workers.attendance import NotBegun
from workers.engine_process import EngineProcess
from workers.messages import Recall, Run, Runs
from workers.tools import Stop, Tools
from workers.writing import Writer

log = structlog.get_logger(__name__)

CALL_BACK_S = 0.5
"""How long the front job may take before those behind it are given to others."""


@dataclass(slots=True)
class Given:
    """A job of a stretch; its recording is at hand until it is closed.

    The child is not given it if there is a `refusal`, or if it `is_known` what would be found.
    """

    job: ClaimedJob
    recording: ExitStack = field(default_factory=ExitStack)
    refusal: Exception | None = None
    is_known: bool = False


class Stretch:
    """Runs without a pause on one child."""

    def __init__(self, child: EngineProcess, tools: Tools, stop: Stop, writer: Writer) -> None:
        self.child = child
        self._tools = tools
        self._stop = stop
        self._writer = writer
        self._given: deque[Given] = deque()
        self._front_since = self._beat_at = time.monotonic()
        self._called_back = False

    @property
    def front(self) -> Given | None:
        """The job that the child does, or the next one that it will do."""
        return self._given[0] if self._given else None

    @property
    def n_behind(self) -> int:
        """How many jobs wait behind the front one."""
        return max(0, len(self._given) - 1)

    @property
    def is_patient(self) -> bool:
        """Whether nothing beside the front job has to be seen to soon."""
        return not self.n_behind and not self._writer.holds_results

    def give(self, jobs: Sequence[ClaimedJob]) -> None:
        """Give the child jobs to do after those that it has."""
        runs = [run for run in (self._prepare(job) for job in jobs) if run]
        try:
            self.child.send(Runs(tuple(runs)))
        except ChildDied:
            log.debug("child_takes_no_jobs")  # whoever attends to the front job will hear how it ended
        for job in jobs:
            self._tools.claims.tell(job)
        self._front_since = time.monotonic()

    def advance(self) -> None:
        """The front job has ended."""
        self._given.popleft().recording.close()
        self._front_since = time.monotonic()

    def meanwhile(self) -> None:
        """See to what is beside the front job; called often while that one runs."""
        began = time.monotonic()
        self._writer.write_what_is_due()
        now = time.monotonic()
        self._front_since += now - began  # a slow database is not the front job's fault
        if not self.n_behind:
            return
        if not self._called_back and (now - self._front_since > CALL_BACK_S or self._stop.requested()):
            self._called_back = True
            self._best_effort(lambda: self.child.send(Recall()))
        if now - self._beat_at >= self._tools.limits.beat_s:
            self._beat_at = now
            self._best_effort(self._beat)

    def called_back(self, job_ids: Sequence[str]) -> None:
        """The child has given up these jobs, unbegun."""
        self._called_back = False
        given_up = [one for one in list(self._given)[1:] if one.job.id in job_ids]
        for given in given_up:
            self._given.remove(given)
        self._release(given_up)

    def release_all(self) -> None:
        """Give back all that is left: the child is lost, or is to do no more."""
        left = list(self._given)
        self._given.clear()
        self._release(left)

    def _release(self, unbegun: list[Given]) -> None:
        for given in unbegun:
            given.recording.close()
        self._writer.release([given.job for given in unbegun])

    def _beat(self) -> None:
        for token in {given.job.token for given in list(self._given)[1:]}:
            self._tools.claims.beat_behind([one.job for one in list(self._given)[1:] if one.job.token == token])

    def _best_effort(self, action: Callable[[], None]) -> None:
        try:
            action()
        except (Unavailable, ChildDied):
            log.debug("not_seen_to")  # tried again, or no longer needed

    def _prepare(self, job: ClaimedJob) -> Run | None:
        given = Given(job)
        self._given.append(given)
        try:
            given.is_known = self._tools.outcome is not None and self._tools.outcome.is_known(job)
            return None if given.is_known else self._run_of(given)
        except NotFound as error:
            given.refusal = MediaUnreadable(reason="its recording is not on storage")
            given.refusal.__cause__ = error
        except Unavailable as error:
            given.refusal = NotBegun()
            given.refusal.__cause__ = error
        except Exception as error:  # noqa: BLE001 - what nobody foresaw fails its job, and must not end the slot
            given.refusal = error
        return None

    def _run_of(self, given: Given) -> Run:
        job, at_hand = given.job, given.recording
        checkpoint = self._tools.claims.checkpoint(job)
        path = at_hand.enter_context(self._tools.storage.local_path(job.audio_key)) if job.audio_key else None
        return Run(job.id, _text(path), job.audio_url, job.options, checkpoint)


def _text(path: Path | None) -> str | None:
    return str(path) if path else None
