"""Room for live sessions: they are refused rather than queued, for who speaks cannot wait."""

import redis
from redis.exceptions import RedisError
from sqlalchemy import ColumnElement, and_, func, or_, select

from app.domain.errors import NoCapacity, TooManySessions, Unavailable
from app.domain.job import Mode
from app.domain.principal import Principal
from app.domain.states import JobState
from app.models import Job, Project
from app.queues.presence import list_workers
from app.services.database import Work

RETRY_AFTER_S = 5
LOCK = 5_249_078
"""Any number will do, as long as every process takes the same: admissions are made one after the other."""

PARKED = and_(Job.state == JobState.QUEUED, Job.run_at == "infinity")
"""Opened, but no connection has come yet."""


class Admission:
    """Counts sessions against what workers and projects may have."""

    def __init__(self, client: "redis.Redis", project_max: int | None) -> None:
        """`project_max` is the limit of projects that have none of their own; None: no limit."""
        self._redis = client
        self._project_max = project_max

    def check_project(self, work: Work, principal: Principal) -> None:
        """Whether the project may have one more session; those that nobody has connected to count.

        Raises:
            TooManySessions: it has all it may have.
        """
        own = select(Project.max_streams).where(Project.id == principal.project_id)
        limit = work.session.scalar(own)
        limit = self._project_max if limit is None else limit
        if limit is None:
            return
        self._one_at_a_time(work)
        if _count(work, and_(_open(), Job.project_id == principal.project_id)) >= limit:
            raise TooManySessions(limit=limit, retry_after_s=RETRY_AFTER_S)

    def check_room(self, work: Work) -> None:
        """Whether some worker has room just now; others may be quicker to take it.

        Raises:
            NoCapacity: none has.
            Unavailable: Redis, which knows the workers, cannot be reached.
        """
        if _count(work, and_(_open(), ~PARKED)) >= self._slots():
            raise NoCapacity(service="workers", retry_after_s=RETRY_AFTER_S)

    def take_room(self, work: Work) -> None:
        """Take the room for the session that this transaction sets going: the last thing before its end.

        Sessions begin one after the other from here to the commit, so that no two take the same room; whatever else a
        transaction did meanwhile would hold up all who begin.

        Raises:
            NoCapacity: no worker has room.
            Unavailable: Redis, which knows the workers, cannot be reached.
        """
        n_slots = self._slots()
        self._one_at_a_time(work)
        if _count(work, and_(_open(), ~PARKED)) > n_slots:
            raise NoCapacity(service="workers", retry_after_s=RETRY_AFTER_S)

    def _slots(self) -> int:
        try:
            self._redis.ping()
        except RedisError as error:
            raise Unavailable(service="queue") from error
        return sum(worker.slots for worker in list_workers(self._redis) if worker.mode == Mode.STREAMING)

    def _one_at_a_time(self, work: Work) -> None:
        work.session.execute(select(func.pg_advisory_xact_lock(LOCK)))


def _open() -> ColumnElement[bool]:
    running = or_(Job.state == JobState.PROCESSING, Job.state == JobState.QUEUED)
    return and_(Job.mode == Mode.STREAMING.value, running)


def _count(work: Work, which: ColumnElement[bool]) -> int:
    return work.session.scalar(select(func.count()).select_from(Job).where(which)) or 0
