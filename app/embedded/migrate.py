"""Bring a database to the newest schema."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import OperationalError

from app.embedded.errors import LaunchError
from app.helpers.database_url import with_driver

MIGRATIONS = Path(__file__).parents[2] / "migrations"
# Any number will do, as long as every launcher takes the same.
LOCK = 5_249_077


def migrate(database_url: str) -> None:
    """Run the migrations that the database has not had; of two launchers at once, the second waits and finds none.

    Raises:
        LaunchError: the database cannot be reached.
    """
    engine = create_engine(with_driver(database_url))
    try:
        with engine.connect() as connection:
            _upgrade(connection)
    except OperationalError as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise LaunchError(f"The database of DATABASE_URL cannot be used: {reason}") from error
    finally:
        engine.dispose()


def _upgrade(connection: Connection) -> None:
    # The lock is the connection's, not the transaction's: it goes when the engine is disposed of.
    connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
    connection.commit()
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    connection.commit()
