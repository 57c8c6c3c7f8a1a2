"""The services that an operator's command works with, on the machine of the service or beside its servers."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import create_engine
from sqlalchemy.exc import ProgrammingError

from app.domain.errors import Unavailable
from app.domain.job import Mode
from app.domain.principal import DEFAULT_PROJECT, Principal
from app.embedded.errors import LaunchError
from app.embedded.running import server_urls
from app.helpers.database_url import with_driver
from app.queues.connection import connect
from app.queues.events import EventLog
from app.queues.hints import HintQueue
from app.services.access.projects import Projects
from app.services.database import Database, limited
from app.services.jobs.control import Control
from app.services.jobs.dead import DeadLetters
from app.services.jobs.narrator import Narrator
from app.services.media.folder import FolderStorage
from config.operating import OperatingConfig
from config.operator import OperatorConfig

OPERATOR = Principal(DEFAULT_PROJECT, name="operator", is_admin=True)
"""Who has the service's own files and databases needs no further key."""


@contextmanager
def dead_letters(config: OperatorConfig) -> Iterator[DeadLetters]:
    """The dead letters, while the block lasts.

    Raises:
        LaunchError: the database cannot be reached, or is of another version; says what would help.
    """
    client = connect(_urls(config)[1])
    events = EventLog(client)
    queues = {mode: HintQueue(client, mode) for mode in Mode}
    try:
        with _database(config) as database:
            control = Control(database, FolderStorage(config.storage_dir), queues, events, Narrator(events))
            yield DeadLetters(database, control)
    finally:
        client.close()


@contextmanager
def projects(config: OperatingConfig) -> Iterator[Projects]:
    """The projects, while the block lasts.

    Raises:
        LaunchError: as above.
    """
    with _database(config) as database:
        yield Projects(database)


@contextmanager
def _database(config: OperatingConfig) -> Iterator[Database]:
    database = Database(create_engine(with_driver(_urls(config)[0]), connect_args=_connecting()))
    try:
        yield database
    except Unavailable as error:
        raise LaunchError(_why_not(config)) from error
    except ProgrammingError as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise LaunchError(
            f"The database is not of this version ({reason}): `python -m alembic upgrade head`."
        ) from error
    finally:
        database.dispose()


def _urls(config: OperatingConfig) -> tuple[str, str]:
    return server_urls(config.database_url, config.redis_url, config.var_dir)


def _connecting() -> dict[str, object]:
    return {"connect_timeout": 3, "application_name": "parloir-operator", "options": limited(60)}


def _why_not(config: OperatingConfig) -> str:
    if config.database_url:
        return "The database of DATABASE_URL cannot be reached."
    return f"Nothing runs in {config.var_dir}: start it (`make run`), or set DATABASE_URL and REDIS_URL, or VAR_DIR."
