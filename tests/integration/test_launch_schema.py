"""A process that starts beside a schema that is not its own says so, or waits, or goes on."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from app.embedded.migrate import MIGRATIONS, migrate
from app.services.schema import needed
from tests.factories import make_house
from tests.http_api import free_port
from tests.workers import ROOT, Site, children_of, stop, wait_for

COMMANDS = (("run_api.py",), ("run_worker.py", "batch"), ("run_worker.py", "maintenance"))


@pytest.fixture
def site(create_database: Callable[[], str], redis_url, tmp_path: Path) -> Site:
    """Where processes run, on a database that nobody has migrated."""
    return Site(create_database(), redis_url, tmp_path, {"PORT": str(free_port()), "API_PROCESSES": "1"})


def migrate_to(url: str, revision: str) -> None:
    engine = create_engine(url)
    with engine.connect() as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.commit()
    engine.dispose()


def ended(site: Site, arguments: tuple[str, ...]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=site.environ(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_an_older_schema_is_refused_in_one_line(site: Site, arguments):
    migrate_to(site.postgres_url, "0003")
    process = ended(site, arguments)
    assert process.returncode == 1
    (line,) = process.stderr.strip().splitlines()
    assert f"at 0003, this version needs {needed()}" in line
    assert "alembic upgrade head" in line


def test_an_empty_database_is_refused_in_one_line(site: Site):
    process = ended(site, ("run_worker.py", "batch"))
    assert (process.returncode, len(process.stderr.strip().splitlines())) == (1, 1)
    assert "is empty" in process.stderr


@pytest.mark.usefixtures("clean")
def test_a_newer_schema_is_worked_on(site: Site):
    migrate(site.postgres_url)
    engine = create_engine(site.postgres_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    house = make_house(site.postgres_url, site.redis_url)
    job_id = house.add_job(audio_key="f" * 32)
    with site.worker():
        wait_for(lambda: house.row(job_id).finished_at)
    house.engine.dispose()


def test_a_worker_waits_for_postgres_and_can_be_stopped_meanwhile(site: Site):
    site.postgres_url = f"postgresql://nobody@/nothing?host={site.folder}"
    with site.worker() as worker:
        wait_for(lambda: site.logs().count("schema_not_seen") >= 2)
        assert worker.poll() is None
        assert children_of(worker) == []
        assert stop(worker, 10) == 0


def test_the_newest_migration_is_what_alembic_says():
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == needed()
