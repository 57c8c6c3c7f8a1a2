"""Where a slot's jobs come from: a hint is taken, its row claimed; when jobs are short, some more at once."""

from uuid import UUID, uuid4

import structlog

from app.domain.errors import Unavailable
from app.helpers.pace import Pace
from app.services.jobs.claimed import ClaimedJob
from workers.tools import Stop, Tools

log = structlog.get_logger(__name__)

TAKE_S = 1.0
"""Longest wait for a hint at a time: how soon a stop is noticed."""

WITHOUT_REDIS_S = 0.5


class Taker:
    """Takes jobs for one slot."""

    def __init__(self, tools: Tools, stop: Stop) -> None:
        self._tools = tools
        self._stop = stop

    def next_job(self) -> ClaimedJob | None:
        """Claim a job, waiting for one up to a second."""
        try:
            return self._hinted_job(uuid4())
        except Unavailable as error:
            log.warning("backing_service_unreachable", service=error.params["service"])
            self._stop.wait(WITHOUT_REDIS_S)
            return None

    def more(self, n: int, pace: Pace) -> tuple[list[ClaimedJob], bool]:
        """Claim up to `n` jobs that wait now and are as short as the last ones; and whether more may be asked for.

        If one of them could not be claimed so, it is the next in turn and must not be passed again.
        """
        try:
            hints = self._tools.queue.take_more(n)
            jobs = self._claim([job_id for job_id, _ in hints], uuid4(), pace.longest_s()) if hints else []
            known = {job.id for job in jobs}
            left = [hint for hint in hints if hint[0] not in known]
            if left:
                self._put_back(left)
        except Unavailable:
            return [], False  # hints that are lost now are offered again at a tick
        return jobs, not left

    def _put_back(self, hints: list[tuple[str, float]]) -> None:
        try:
            self._tools.queue.put_back(hints)
        except Unavailable:
            log.warning("hints_not_put_back", n=len(hints))  # they are offered again at a tick

    def _hinted_job(self, token: UUID) -> ClaimedJob | None:
        try:
            hint = self._tools.queue.take(TAKE_S)
        except Unavailable:
            self._stop.wait(WITHOUT_REDIS_S)
            return self._tools.claims.claim_oldest(self._tools.mode, token)
        if hint:
            return next(iter(self._claim([hint], token)), None)
        return self._tools.claims.claim_oldest(self._tools.mode, token) if self._tools.hints_fail() else None

    def _claim(self, hints: list[str], token: UUID, at_most_s: float | None = None) -> list[ClaimedJob]:
        try:
            return self._tools.claims.claim_all(hints, token, at_most_s)
        except Unavailable:
            # The answer may have been lost after the commit: the same token finds that out.
            return self._tools.claims.claim_all(hints, token, at_most_s)
