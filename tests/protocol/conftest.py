"""A served API and a streaming worker, shared by the tests that do not break them.

They have a database and a Redis database to themselves: the worker would take the sessions of other tests.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import ColumnElement, func, select

from app.domain.job import Mode
from app.domain.states import JobState
from app.embedded.migrate import migrate
from app.models import Job
from app.models.project import Project
from tests.factories import House, make_house
from tests.http_api import ServedApi, free_port
from tests.live import has_room
from tests.workers import Site, wait_for

IDLE_S = 2.0


@pytest.fixture(scope="package")
def postgres_url(create_database: Callable[[], str]) -> str:
    url = create_database()
    migrate(url)
    return url


@pytest.fixture(scope="package")
def redis_url(redis_url: str) -> str:
    return f"{redis_url.partition('?')[0]}?db=1"


@pytest.fixture(scope="package")
def house(postgres_url, redis_url) -> Iterator[House]:
    house = make_house(postgres_url, redis_url)
    yield house
    house.engine.dispose()


@pytest.fixture(scope="package")
def vosk_port() -> int:
    return free_port()


@pytest.fixture(scope="package")
def served(postgres_url, redis_url, tmp_path_factory, vosk_port) -> Iterator[ServedApi]:
    folder: Path = tmp_path_factory.mktemp("served")
    with ServedApi(postgres_url, redis_url, folder, STREAM_IDLE_S=str(IDLE_S), VOSK_PORT=str(vosk_port)) as api:
        yield api


@pytest.fixture(scope="package")
def worker(house, postgres_url, redis_url, tmp_path_factory) -> Iterator[Site]:
    """A streaming worker with plenty of room."""
    site = Site(postgres_url, redis_url, tmp_path_factory.mktemp("worker"), {"STREAM_SLOTS": "20"})
    with site.worker(mode="streaming"):
        wait_for(lambda: has_room(house))
        yield site


@pytest.fixture(autouse=True)
def room(house) -> None:
    """A worker is there, also after a test that had Redis forget it."""
    wait_for(lambda: has_room(house))


@pytest.fixture
def left_open(house) -> Iterator[None]:
    """How many sessions a test has opened and not ended, which is to be none."""
    before = n_open(house)
    yield
    wait_for(lambda: n_open(house) <= before)


def n_open(house: House, *which: ColumnElement[bool]) -> int:
    """How many jobs have not ended."""
    open_ = (JobState.QUEUED.value, JobState.PROCESSING.value)
    with house.database.work() as work:
        return work.session.scalar(select(func.count()).select_from(Job).where(Job.state.in_(open_), *which))


@contextmanager
def at_most(house: House, n_sessions: int) -> Iterator[None]:
    """Until the end of the block, the project may have so many sessions at a time."""
    wait_for(lambda: n_open(house, Job.mode == Mode.STREAMING) == 0)  # those of the tests before
    _limit(house, n_sessions)
    try:
        yield
    finally:
        _limit(house, None)


def _limit(house: House, most: int | None) -> None:
    with house.database.work() as work:
        work.session.merge(Project(id="default", name="default", max_streams=most))
