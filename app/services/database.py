"""Units of work: one transaction each, and what is to happen once it is committed."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg2
import structlog
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from app.domain.errors import Unavailable
from app.services.patience import patient
from app.services.statements import Singles, Statement, rows_of

log = structlog.get_logger(__name__)

LOST_PEER = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 20_000}
"""What libpq is told, so that a PostgreSQL behind a broken network is given up after some 25 s, not after hours."""

IDLE_MS = 10_000
"""After so long without a word, PostgreSQL ends a transaction: a process that is frozen in the middle of one must not
keep its rows from the others. Less than a usual lease, so that a lost run is taken over as if it had held nothing."""

STATEMENT_MS, GIVEN_UP_AFTER_S = 4000, 5.0
"""For claims and beats: a PostgreSQL that lives ends them itself, one that hangs is given up soon after."""

# The log is written in order. A commit waits for it only if the transaction has written to it: here an empty message.
LEAVE_A_MARK = Statement("SELECT pg_logical_emit_message(true, 'parloir', '')", {})


def limited(statement_s: int) -> str:
    """What PostgreSQL is told for a connection: how long a statement may take, and a transaction be silent."""
    return f"-c statement_timeout={statement_s}s -c idle_in_transaction_session_timeout={IDLE_MS}"


class Work:
    """One transaction: `session` to read and write, `after_commit` for what only a committed state allows."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._afterwards: list[Callable[[], object]] = []

    def rows(self, statement: Statement, given: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Run a statement whose text is made; all its rows."""
        return rows_of(self.session.connection().connection, statement, given)

    def after_commit(self, action: Callable[[], object]) -> None:
        """Run `action` when, and only when, the transaction is committed."""
        self._afterwards.append(action)

    def _committed(self) -> None:
        for action in self._afterwards:
            action()


class Database:
    """PostgreSQL, seen as a maker of units of work."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._singles = Singles(engine)

    @contextmanager
    def work(self) -> Iterator[Work]:
        """Open a transaction; commit at the end of the block, roll back if it raises.

        Raises:
            Unavailable: PostgreSQL cannot be reached. The commit may or may not have happened.
        """
        with _unavailable_if_down(), Session(self._engine, expire_on_commit=False) as session:
            work = Work(session)
            with session.begin():
                yield work
        work._committed()

    def rows(self, statement: Statement, given: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Run one statement, a transaction by itself that is on disk when this returns; all its rows.

        Raises:
            Unavailable: PostgreSQL cannot be reached. The statement may or may not have been carried out.
            psycopg2.Error: PostgreSQL refused it.
        """
        return self._singles.rows(statement, given)

    def wait_for_disk(self) -> None:
        """Return when all that anybody has committed before is on disk.

        Raises:
            Unavailable: PostgreSQL cannot be reached. It may or may not be there.
        """
        self.rows(LEAVE_A_MARK, {})

    def dispose(self) -> None:
        """Close every pooled connection."""
        self._singles.let_go()
        self._engine.dispose()


class Unhurried:
    """PostgreSQL for single statements, each its own transaction that returns before it is on disk.

    For writes whose loss, should PostgreSQL crash, costs time and nothing else: a claim that is forgotten leaves a
    job that is due again, a beat that is forgotten leaves one that is a beat older.
    """

    def __init__(self, url: str, **options: Any) -> None:
        """Takes what `sqlalchemy.create_engine` takes."""
        given = options.pop("connect_args", {})
        asked = f"{given.get('options', '')} -c synchronous_commit=off -c statement_timeout={STATEMENT_MS}".strip()
        self._engine = create_engine(
            url,
            pool_reset_on_return=None,
            connect_args={**given, "options": asked, "connection_factory": patient(GIVEN_UP_AFTER_S)},
            **options,
        )
        self._singles = Singles(self._engine, keep_s=math.inf)  # its callers ask again

    def rows(self, statement: Statement, given: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Run one statement; all its rows.

        Raises:
            Unavailable: PostgreSQL cannot be reached. The statement may or may not have been carried out.
        """
        return self._singles.rows(statement, given)

    def dispose(self) -> None:
        """Close every pooled connection."""
        self._singles.let_go()
        self._engine.dispose()


@contextmanager
def _unavailable_if_down() -> Iterator[None]:
    try:
        yield
    except PoolTimeout as error:
        log.warning("database_pool_exhausted")
        raise Unavailable(service="database") from error
    except (OperationalError, InterfaceError, psycopg2.OperationalError, psycopg2.InterfaceError) as error:
        raise Unavailable(service="database") from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise Unavailable(service="database") from error
        raise
