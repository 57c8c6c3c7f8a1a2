"""The services that an operator's command works with, on the machine of the service or beside its servers."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import create_engine
from sqlalchemy.exc import ProgrammingError

from app.domain.errors import Unavailable
from app.domain.job import Mode
from app.domain.principal import DEFAULT_PROJECT, Principal
from app.embedded.errors import LaunchError
from app.embedded.postgres import EmbeddedPostgres
from app.embedded.redis import EmbeddedRedis
from app.helpers.database_url import with_driver
from app.queues.connection import connect
from app.queues.events import EventLog
from app.queues.hints import HintQueue
from app.services.database import Database
from app.services.jobs.control import Control
from app.services.jobs.dead import DeadLetters
from app.services.jobs.narrator import Narrator
from app.services.media.folder import FolderStorage
from config.operator import OperatorConfig

OPERATOR = Principal(DEFAULT_PROJECT, name="operator", is_admin=True)
"""Who has the service's own files and databases needs no further key."""


@contextmanager
def dead_letters(config: OperatorConfig) -> Iterator[DeadLetters]:
    """The dead letters, while the block lasts.

    Raises:
        LaunchError: the database cannot be reached, or is of another version; says what would help.
    """
    database = Database(create_engine(_database_url(config), connect_args=_connecting()))
    client = connect(config.redis_url or EmbeddedRedis(config.var_dir).url)
    events = EventLog(client)
    queues = {mode: HintQueue(client, mode) for mode in Mode}
    control = Control(database, FolderStorage(config.storage_dir), queues, events, Narrator(events))
    try:
        yield DeadLetters(database, control)
    except Unavailable as error:
        raise LaunchError(_why_not(config)) from error
    except ProgrammingError as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise LaunchError(
            f"The database is not of this version ({reason}): `python -m alembic upgrade head`."
        ) from error
    finally:
        database.dispose()
        client.close()


def _database_url(config: OperatorConfig) -> str:
    return with_driver(config.database_url or EmbeddedPostgres(config.var_dir).url)


def _connecting() -> dict[str, object]:
    return {"connect_timeout": 3, "application_name": "parloir-operator", "options": "-c statement_timeout=60s"}


def _why_not(config: OperatorConfig) -> str:
    if config.database_url:
        return "The database of DATABASE_URL cannot be reached."
    return f"Nothing runs in {config.var_dir}: start it (`make run`), or set DATABASE_URL and REDIS_URL, or VAR_DIR."
