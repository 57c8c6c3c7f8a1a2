"""Room for live sessions: they are refused rather than queued, for who speaks cannot wait."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import redis
from sqlalchemy import and_, func, select

from app.domain.errors import NoCapacity, TooManySessions, Unavailable
from app.domain.states import JobState
from app.models import Job
from app.services.database import Database, Work
from app.services.streaming.opening import COUNT_GOING, LOCK, OPEN
from app.services.streaming.slots import Slots

RETRY_AFTER_S = 5
TURN_WITHIN_S, AT_ONCE = 10.0, 4
"""PostgreSQL takes one at a time; some more keep it busy while this process is late with its answers."""

PARKED = and_(Job.state == JobState.QUEUED, Job.run_at == "infinity")
"""Opened, but no connection has come yet."""


class Admission:
    """Counts sessions against what workers and projects may have."""

    def __init__(self, client: "redis.Redis", project_max: int | None) -> None:
        """`project_max` is the limit of projects that have none of their own; None: no limit."""
        self._slots = Slots(client)
        self._project_max = project_max
        self._turns = threading.BoundedSemaphore(AT_ONCE)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Few sessions of this process begin at once: those that wait for it hold no connection meanwhile.

        Raises:
            Unavailable: it has not come within `TURN_WITHIN_S`.
        """
        if not self._turns.acquire(timeout=TURN_WITHIN_S):
            raise Unavailable(service="database")
        try:
            yield
        finally:
            self._turns.release()

    def insert(self, database: Database, facts: dict[str, Any]) -> datetime:
        """Make the rows of a session (see `opening`) if there is room for it just now; when it was made.

        Of a project's sessions those that nobody has connected to count too.

        Raises:
            TooManySessions: the project has all it may have.
            NoCapacity: no worker has room.
            Unavailable: PostgreSQL, or Redis, which knows the workers, cannot be reached.
        """
        n_slots = self._slots.known()
        made_at = self._insert(database, facts, n_slots)
        if made_at is None and self._slots.now() > n_slots:
            made_at = self._insert(database, facts, self._slots.known())
        if made_at is None:
            raise NoCapacity(service="workers", retry_after_s=RETRY_AFTER_S)
        return made_at

    def _insert(self, database: Database, facts: dict[str, Any], n_slots: int) -> datetime | None:
        limits = {"n_slots": n_slots, "project_max": self._project_max}
        with self.turn():
            is_allowed: bool
            made_at: datetime | None
            [(is_allowed, most, made_at)] = database.rows(OPEN, {**facts, **limits})
        if not is_allowed:
            raise TooManySessions(limit=most, retry_after_s=RETRY_AFTER_S)
        return made_at

    def take_room(self, work: Work) -> None:
        """Take the room for the session that this transaction sets going: the last thing before its end.

        Sessions begin one after the other from here to the commit, so that no two take the same room; whatever else a
        transaction did meanwhile would hold up all who begin.

        Raises:
            NoCapacity: no worker has room.
            Unavailable: Redis, which knows the workers, cannot be reached.
        """
        n_slots = self._slots.known()
        work.session.execute(select(func.pg_advisory_xact_lock(LOCK)))
        [(n_going,)] = work.rows(COUNT_GOING, {})
        if n_going > n_slots and n_going > self._slots.now():
            raise NoCapacity(service="workers", retry_after_s=RETRY_AFTER_S)
