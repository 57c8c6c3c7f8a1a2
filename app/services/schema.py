"""Whether the database has the tables that this code needs; asked at the start of every process.

Plain psycopg2: gunicorn's first process asks too, and must not load what gevent has yet to patch in those it starts.
"""

import time
from collections.abc import Callable
from pathlib import Path

import psycopg2
import structlog

from app.helpers.backoff import backoff_s

log = structlog.get_logger(__name__)

VERSIONS = Path(__file__).parents[2] / "migrations" / "versions"


class SchemaBehind(Exception):
    """The database's schema is older than this code; the message says what to do."""

    def __init__(self, has: str | None) -> None:
        found = f"at {has}" if has else "empty"
        super().__init__(
            f"The database's schema is {found}, this version needs {needed()}: `python -m alembic upgrade head`."
        )


def needed() -> str:
    """The newest migration that comes with this code. They are numbered, and follow one on the other."""
    return max(path.stem[:4] for path in VERSIONS.glob("[0-9]*.py"))


def require_schema(database_url: str) -> bool:
    """Make sure that the schema is as new as this code, or newer; False if PostgreSQL cannot be asked just now.

    Raises:
        SchemaBehind: it is older.
    """
    try:
        has = _revision(database_url)
    except psycopg2.OperationalError as error:
        log.warning("schema_not_seen", reason=str(error).strip().splitlines()[0])
        return False
    if has is None or has < needed():
        raise SchemaBehind(has)
    return True


def await_schema(database_url: str, sleep: Callable[[float], None] = time.sleep) -> None:
    """The same, waiting for PostgreSQL for as long as it takes.

    Raises:
        SchemaBehind: it is older.
    """
    n = 0
    while not require_schema(database_url):
        n += 1
        sleep(backoff_s(n, base_s=0.2, cap_s=5.0))


def _revision(database_url: str) -> str | None:
    """The last migration that was run, None for a database without tables."""
    connection = psycopg2.connect(database_url.replace("+psycopg2", "", 1), connect_timeout=3)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT version_num FROM alembic_version")
            row = cursor.fetchone()
            return str(row[0]) if row else None
    except psycopg2.errors.UndefinedTable:
        return None
    finally:
        connection.close()
