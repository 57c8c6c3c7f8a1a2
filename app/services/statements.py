"""Single statements whose text is made once and sent by the driver itself.

SQLAlchemy's way from a statement to the driver takes longer than PostgreSQL takes for a small one, and most of all in
a process that has just been woken. So the few statements that every job goes through are put together with it when a
module is loaded, and from then on their text is sent as it is.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg2
from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.sql import ClauseElement

from app.domain.errors import Unavailable

_DIALECT: Any = PGDialect_psycopg2()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class Statement:
    """The text for the driver, and the values in it that never change. JSON is given as text."""

    text: str
    fixed: Mapping[str, Any]

    @classmethod
    def of(cls, made: ClauseElement) -> "Statement":
        """What SQLAlchemy makes of it; every `bindparam` is to be given when it is run."""
        compiled = made.compile(dialect=_DIALECT)
        # A state is a str to us, and has to be one to the driver.
        plain = {name: str(value) if isinstance(value, str) else value for name, value in compiled.params.items()}
        return cls(compiled.string, plain)


def rows(engine: Engine, statement: Statement, given: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Run one statement that gives rows, a transaction by itself.

    Raises:
        Unavailable: PostgreSQL cannot be reached. The statement may or may not have been carried out.
        psycopg2.Error: PostgreSQL refused it.
    """
    with _lent(engine) as connection:
        return rows_of(connection, statement, given)


def rows_of(connection: Any, statement: Statement, given: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Run one statement on a connection of the driver, in whatever transaction is open there."""
    with connection.cursor() as cursor:
        cursor.execute(statement.text, {**statement.fixed, **given})
        return list(cursor.fetchall())


@contextmanager
def _lent(engine: Engine) -> Iterator[Any]:
    """A connection of the engine's pool that commits each statement; one that was cut off is not used again."""
    try:
        lent = engine.raw_connection()
    except (psycopg2.OperationalError, OperationalError, InterfaceError, PoolTimeout) as error:
        # SQLAlchemy's own: on an engine's first connection it asks things itself, and may be cut off then.
        raise Unavailable(service="database") from error
    connection: Any = lent.dbapi_connection
    try:
        connection.autocommit = True
        yield connection
        connection.autocommit = False
    except psycopg2.Error as error:
        if _is_lost(engine, error, connection):
            lent.invalidate()
            if connection.closed:
                engine.dispose()  # those that lie idle were cut off with it
            raise Unavailable(service="database") from error
        connection.autocommit = False
        raise
    except BaseException:
        lent.invalidate()  # an answer may still be on its way
        raise
    finally:
        lent.close()


def _is_lost(engine: Engine, error: psycopg2.Error, connection: Any) -> bool:
    down = isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError)
    return down or engine.dialect.is_disconnect(error, connection, None)
