"""How alembic reaches the database: over the connection it is given, or by `DATABASE_URL`."""

import os

from alembic import context
from sqlalchemy import Connection, create_engine, text

from app.helpers.database_url import with_driver
from app.models import Base

# A change to a table waits for whoever reads it (a dump, say), and all others then wait for the change: give up first.
lock_timeout = context.config.attributes.get("lock_timeout", "10s")


def _migrate(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=Base.metadata, compare_type=True)
    with context.begin_transaction():
        connection.execute(text(f"SET LOCAL lock_timeout = '{lock_timeout}'"))
        context.run_migrations()


given: Connection | None = context.config.attributes.get("connection")
if given is not None:
    _migrate(given)
else:
    engine = create_engine(with_driver(os.environ["DATABASE_URL"]))
    with engine.connect() as connection:
        _migrate(connection)
