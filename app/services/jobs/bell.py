"""Telling the queues of jobs that a transaction has made due."""

from collections.abc import Callable, Iterable, Mapping

import structlog
from sqlalchemy import select

from app.domain.errors import Unavailable
from app.domain.job import Mode
from app.models import Job, Project
from app.queues.hints import Hint, HintQueue
from app.services.database import Work

log = structlog.get_logger(__name__)


class Bell:
    """Offers jobs that a transaction has made due, once it is committed; a lost hint is found out by the reconciler."""

    def __init__(self, queues: Mapping[Mode, HintQueue] | None = None) -> None:
        """Without `queues` nothing is offered at once."""
        self._queues = queues or {}

    def ring(self, work: Work, jobs: Iterable[Job]) -> None:
        """Offer these jobs after the commit."""
        for job in jobs if self._queues else ():
            weight = work.session.scalar(select(Project.weight).where(Project.id == job.project_id)) or 1.0
            hint = Hint(str(job.id), job.project_id, job.priority, job.estimated_s / weight)
            work.after_commit(self._offering(Mode(job.mode), hint))

    def drop(self, work: Work, jobs: Iterable[Job]) -> None:
        """Take the hints of these jobs away after the commit."""
        for job in jobs if self._queues else ():
            work.after_commit(self._dropping(Mode(job.mode), str(job.id)))

    def _offering(self, mode: Mode, hint: Hint) -> Callable[[], None]:
        return lambda: _try(lambda: self._queues[mode].offer(hint))

    def _dropping(self, mode: Mode, job_id: str) -> Callable[[], None]:
        return lambda: _try(lambda: self._queues[mode].drop(job_id))


def _try(action: Callable[[], object]) -> None:
    try:
        action()
    except Unavailable:
        log.warning("queue_unreachable")
