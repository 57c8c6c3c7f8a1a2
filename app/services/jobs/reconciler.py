"""Keeping the hints in Redis in step with the rows: whatever is due and has no hint is offered again."""

from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import Text, cast, func, select, tuple_

from app.domain.job import Mode
from app.models import Job, Project
from app.queues.hints import Hint, HintQueue
from app.services.database import Database
from app.services.jobs.claims import DUE

log = structlog.get_logger(__name__)

PAGE = 500


class Reconciler:
    """Walks through the due rows of one mode, a page at a time, from the longest waiting to the newest, and again."""

    def __init__(self, database: Database, queue: HintQueue, mode: Mode) -> None:
        self._database = database
        self._queue = queue
        self._mode = mode
        self._cursor: tuple[datetime, UUID] | None = None
        self._is_behind = False

    def is_behind(self) -> bool:
        """Whether rows were found that have no hint, and none could be offered: Redis is full, or went away."""
        return self._is_behind

    def step(self) -> int:
        """Look at a page, and at the next ones as long as hints are found missing. Returns how many were offered.

        Raises:
            Unavailable: PostgreSQL or Redis cannot be reached.
        """
        offered = 0
        while True:
            page = self._page()
            missing = set(self._queue.missing([hint.job_id for hint in page]))
            self._is_behind = bool(missing)
            offered += self._queue.offer(*(hint for hint in page if hint.job_id in missing))
            self._is_behind = False
            if not missing or not page:
                break
        if offered:
            log.info("hints_restored", queue=self._queue.name, n=offered)
        return offered

    def _page(self) -> list[Hint]:
        query = (
            select(Job.run_at, Job.id, Job.project_id, Job.priority, Job.estimated_s / Project.weight)
            .join(Project, Project.id == Job.project_id)
            .where(DUE, Job.mode == self._mode.value)
            .order_by(Job.run_at, Job.id)
            .limit(PAGE)
        )
        if self._cursor is not None:
            query = query.where(tuple_(Job.run_at, Job.id) > self._cursor)
        with self._database.work() as work:
            rows = work.session.execute(query).all()
        self._cursor = (rows[-1][0], rows[-1][1]) if len(rows) == PAGE else None
        return [Hint(str(row[1]), row[2], row[3], row[4]) for row in rows]


def drift(database: Database, queue: HintQueue, mode: Mode, *, limit: int = 10_000) -> int:
    """How many due rows have no hint in Redis (among the `limit` longest waiting).

    Raises:
        Unavailable: PostgreSQL or Redis cannot be reached.
    """
    query = select(cast(Job.id, Text)).where(DUE, Job.mode == mode.value).order_by(Job.run_at, Job.id).limit(limit)
    with database.work() as work:
        ids = work.session.scalars(query).all()
    # Page by page: one question about all of them would hold up Redis, and an API process that asks.
    return sum(len(queue.missing(ids[at : at + PAGE])) for at in range(0, len(ids), PAGE))


def oldest_age_s(database: Database, mode: Mode) -> float:
    """Seconds that the longest waiting due job has waited; 0 if none waits.

    Raises:
        Unavailable: PostgreSQL cannot be reached.
    """
    query = select(func.extract("epoch", func.now() - func.min(Job.run_at))).where(DUE, Job.mode == mode.value)
    with database.work() as work:
        return float(work.session.scalar(query) or 0.0)
