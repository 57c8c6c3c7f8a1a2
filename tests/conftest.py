"""What tests of many kinds begin with: servers (real ones, started once, or those that TEST_DATABASE_URL and
TEST_REDIS_URL name), and on them what a test speaks to.
"""

import logging
import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pytest
import redis
import structlog
from sqlalchemy import Engine, create_engine, make_url, text

from app.__main__ import main
from app.embedded.migrate import migrate
from app.embedded.postgres import EmbeddedPostgres
from app.embedded.redis import EmbeddedRedis
from app.helpers.database_url import with_driver
from tests.factories import House, make_house
from tests.live import Gateway
from tests.outside import Outside, outside

Command = Callable[..., int]

# What a test starts takes Ctrl-C as it would from a terminal, even if the tests run in a shell's background.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def no_context_of_others() -> None:
    """What an earlier test has bound to this thread's log lines is not this test's."""
    structlog.contextvars.clear_contextvars()


@pytest.fixture(scope="session")
def server_dir() -> Iterator[Path]:
    """The var dir of the servers; not pytest's own folder, which PostgreSQL's user may not enter."""
    with tempfile.TemporaryDirectory(prefix="parloir-tests-") as path:
        yield Path(path)


@pytest.fixture(scope="session")
def postgres_server_url(server_dir: Path) -> Iterator[str]:
    """A PostgreSQL server; its database is not to be written to."""
    with ExitStack() as stack:
        url = os.environ.get("TEST_DATABASE_URL")
        if url is None:
            server = EmbeddedPostgres(server_dir, is_durable=False)
            stack.callback(server.stop)
            url = server.start()
        yield with_driver(url)


@pytest.fixture(scope="session")
def create_database(postgres_server_url: str) -> Iterator[Callable[[], str]]:
    """Makes empty databases for tests that must not share one; each call gives the URL of a new one."""
    server = create_engine(postgres_server_url, isolation_level="AUTOCOMMIT")
    names: list[str] = []

    def create() -> str:
        names.append(f"test_{uuid4().hex}")
        with server.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {names[-1]}"))
        return make_url(postgres_server_url).set(database=names[-1]).render_as_string(hide_password=False)

    yield create
    with server.connect() as connection:
        for name in names:
            connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
    server.dispose()


@pytest.fixture(scope="session")
def postgres_url(create_database: Callable[[], str]) -> str:
    """A database of this test run, migrated; shared by its tests (see `clean`)."""
    url = create_database()
    migrate(url)
    return url


@pytest.fixture(scope="session")
def engine(postgres_url: str) -> Iterator[Engine]:
    """A pool of connections to the test database."""
    engine = create_engine(postgres_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def redis_url(server_dir: Path) -> Iterator[str]:
    """A Redis whose database the tests may flush."""
    with ExitStack() as stack:
        url = os.environ.get("TEST_REDIS_URL")
        if url is None:
            server = EmbeddedRedis(server_dir)
            stack.callback(server.stop)
            url = server.start()
        yield url


@pytest.fixture
def clean(engine: Engine, redis_url: str) -> None:
    """Begin with nothing: no rows in the tables, no keys in Redis."""
    with engine.begin() as connection:
        names = connection.execute(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'")
        ).scalars()
        connection.execute(text(f"TRUNCATE {', '.join(names)} RESTART IDENTITY CASCADE"))
    with redis.Redis.from_url(redis_url) as client:
        client.flushdb()


@pytest.fixture
def house(clean: None, postgres_url: str, redis_url: str) -> Iterator[House]:
    """The services over the test's own tables, which are empty at first."""
    house = make_house(postgres_url, redis_url)
    yield house
    house.engine.dispose()


@pytest.fixture
def world() -> Iterator[Outside]:
    """Servers of others: where recordings are fetched from and callbacks go to."""
    with outside() as world:
        yield world


@pytest.fixture
def gateway(house: House, redis_url: str) -> Gateway:
    """A gateway process of live sessions, as its worker sees it."""
    return Gateway(house, redis_url)


@pytest.fixture
def command(postgres_url: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Command]:
    """`python -m app`, on the test's servers; its exit code. What it does to logging ends with the test."""
    for name, value in (("DATABASE_URL", postgres_url), ("REDIS_URL", redis_url), ("VAR_DIR", str(tmp_path))):
        monkeypatch.setenv(name, value)
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level

    def run(*arguments: str) -> int:
        try:
            return main(list(arguments))
        except SystemExit as ended:
            return int(ended.code or 0)

    yield run
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
