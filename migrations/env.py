"""How alembic reaches the database: over the connection it is given, or by `DATABASE_URL`."""

import os

from alembic import context
from sqlalchemy import Connection, create_engine

from app.helpers.database_url import with_driver
from app.models import Base


def _migrate(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=Base.metadata, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()


given: Connection | None = context.config.attributes.get("connection")
if given is not None:
    _migrate(given)
else:
    engine = create_engine(with_driver(os.environ["DATABASE_URL"]))
    with engine.connect() as connection:
        _migrate(connection)
