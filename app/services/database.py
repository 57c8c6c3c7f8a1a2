"""Units of work: one transaction each, and what is to happen once it is committed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import structlog
from sqlalchemy import Engine, Executable, Row, create_engine
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.orm import Session

from app.domain.errors import Unavailable

log = structlog.get_logger(__name__)

LOST_PEER = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 20_000}
"""What libpq is told, so that a PostgreSQL behind a broken network is given up after some 25 s, not after hours."""


class Work:
    """One transaction: `session` to read and write, `after_commit` for what only a committed state allows."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._afterwards: list[Callable[[], object]] = []

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
        self._at_once = engine.execution_options(isolation_level="AUTOCOMMIT")

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

    def first(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Row[Any] | None:
        """Run one statement, a transaction by itself that is on disk when this returns; its first row, if any.

        Raises:
            Unavailable: PostgreSQL cannot be reached. The statement may or may not have been carried out.
        """
        with _unavailable_if_down(), self._at_once.connect() as connection:
            return connection.execute(statement, parameters).first()

    def all(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Sequence[Row[Any]]:
        """Run one statement, a transaction by itself that is on disk when this returns; all its rows.

        Raises:
            Unavailable: PostgreSQL cannot be reached. The statement may or may not have been carried out.
        """
        with _unavailable_if_down(), self._at_once.connect() as connection:
            return connection.execute(statement, parameters).all()

    def dispose(self) -> None:
        """Close every pooled connection."""
        self._engine.dispose()


class Unhurried:
    """PostgreSQL for single statements, each its own transaction that returns before it is on disk.

    For writes whose loss, should PostgreSQL crash, costs time and nothing else: a claim that is forgotten leaves a
    job that is due again, a beat that is forgotten leaves one that is a beat older.
    """

    def __init__(self, url: str, **options: Any) -> None:
        """Takes what `sqlalchemy.create_engine` takes."""
        given = options.pop("connect_args", {})
        asked = f"{given.get('options', '')} -c synchronous_commit=off".strip()
        self._engine = create_engine(
            url,
            isolation_level="AUTOCOMMIT",
            pool_reset_on_return=None,
            connect_args={**given, "options": asked},
            **options,
        )

    def first(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Row[Any] | None:
        """Run one statement; its first row, if it gives any.

        Raises:
            Unavailable: PostgreSQL cannot be reached. The statement may or may not have been carried out.
        """
        with _unavailable_if_down(), self._engine.connect() as connection:
            return connection.execute(statement, parameters).first()

    def all(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Sequence[Row[Any]]:
        """Run one statement; all its rows.

        Raises:
            Unavailable: PostgreSQL cannot be reached. The statement may or may not have been carried out.
        """
        with _unavailable_if_down(), self._engine.connect() as connection:
            return connection.execute(statement, parameters).all()

    def dispose(self) -> None:
        """Close every pooled connection."""
        self._engine.dispose()


@contextmanager
def _unavailable_if_down() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise Unavailable(service="database") from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise Unavailable(service="database") from error
        raise
