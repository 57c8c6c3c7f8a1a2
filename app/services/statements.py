"""Single statements whose text is made once and sent by the driver itself.

SQLAlchemy's way from a statement to the driver takes longer than PostgreSQL takes for a small one, and most of all in
a process that has just been woken. So the few statements that every job goes through are put together with it when a
module is loaded, and from then on their text is sent as it is.
"""

import select
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg2
from sqlalchemy import Engine, PoolProxiedConnection
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.sql import ClauseElement

from app.domain.errors import Unavailable

N_KEPT = 2
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


class Singles:
    """Runs statements one by one, each a transaction by itself, on connections of an engine's pool.

    Up to two connections stay lent out between statements, as the pool looks long at each one that comes and goes.
    It is to look again after `keep_s` seconds without use, or if PostgreSQL has said something unasked: it is gone.
    """

    def __init__(self, engine: Engine, keep_s: float = 30.0) -> None:
        self._engine = engine
        self._keep_s = keep_s
        self._idle: list[tuple[PoolProxiedConnection, float]] = []

    def rows(self, statement: Statement, given: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Run one statement; all its rows.

        Raises:
            Unavailable: PostgreSQL cannot be reached. The statement may or may not have been carried out.
            psycopg2.Error: PostgreSQL refused it.
        """
        with self._lent() as connection:
            return rows_of(connection, statement, given)

    def let_go(self) -> None:
        """Give back the connections that were kept."""
        with suppress(IndexError):
            while True:
                self._give_back(self._idle.pop()[0])

    @contextmanager
    def _lent(self) -> Iterator[Any]:
        """A connection that commits each statement; one that was cut off is not used again."""
        lent = self._take()
        try:
            yield lent.dbapi_connection
        except psycopg2.Error as error:
            if not self._is_lost(error, lent):
                self._keep(lent)
                raise
            self._lose(lent)
            raise Unavailable(service="database") from error
        except BaseException:
            lent.invalidate()  # an answer may still be on its way
            raise
        else:
            self._keep(lent)

    def _take(self) -> PoolProxiedConnection:
        try:
            kept, since_s = self._idle.pop()
        except IndexError:
            return self._take_from_pool()
        if time.monotonic() - since_s <= self._keep_s and _is_silent(kept):
            return kept
        self._give_back(kept)
        return self._take_from_pool()

    def _take_from_pool(self) -> PoolProxiedConnection:
        try:
            lent = self._engine.raw_connection()
        except (psycopg2.OperationalError, OperationalError, InterfaceError, PoolTimeout) as error:
            # SQLAlchemy's own: on an engine's first connection it asks things itself, and may be cut off then.
            raise Unavailable(service="database") from error
        _set_autocommit(lent, True)
        return lent

    def _keep(self, lent: PoolProxiedConnection) -> None:
        if len(self._idle) < N_KEPT:
            self._idle.append((lent, time.monotonic()))
        else:
            self._give_back(lent)

    def _lose(self, lent: PoolProxiedConnection) -> None:
        is_closed = _driver(lent).closed
        lent.invalidate()
        if is_closed:
            self.let_go()
            self._engine.dispose()  # those that lie idle were cut off with it

    def _is_lost(self, error: psycopg2.Error, lent: PoolProxiedConnection) -> bool:
        down = isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError)
        return down or self._engine.dialect.is_disconnect(error, _driver(lent), None)

    @staticmethod
    def _give_back(lent: PoolProxiedConnection) -> None:
        if not _driver(lent).closed:
            _set_autocommit(lent, False)
        lent.close()


def rows_of(connection: Any, statement: Statement, given: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Run one statement on a connection of the driver, in whatever transaction is open there."""
    with connection.cursor() as cursor:
        cursor.execute(statement.text, {**statement.fixed, **given})
        return list(cursor.fetchall())


def _set_autocommit(lent: PoolProxiedConnection, is_on: bool) -> None:
    _driver(lent).autocommit = is_on


def _is_silent(lent: PoolProxiedConnection) -> bool:
    """Whether nothing waits to be read, which would be a farewell or the end of the line."""
    heard = select.poll()
    heard.register(_driver(lent).fileno(), select.POLLIN)
    return not heard.poll(0)


def _driver(lent: PoolProxiedConnection) -> Any:
    return lent.dbapi_connection
