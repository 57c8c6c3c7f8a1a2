"""The migrations and the models are two descriptions of one schema."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, text

from app.embedded.migrate import MIGRATIONS, migrate
from app.models import Base


def test_the_migrations_make_what_the_models_say(engine: Engine):
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_there_is_one_line_of_migrations():
    scripts = ScriptDirectory(str(MIGRATIONS))
    assert len(scripts.get_heads()) == 1
    assert [one.revision for one in scripts.walk_revisions() if one.is_branch_point] == []


def test_launchers_that_migrate_at_once_do_not_disturb_each_other(create_database: Callable[[], str]):
    url = create_database()
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: migrate(url), range(3)))
    engine = create_engine(url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM alembic_version")).scalar_one() == 1
    engine.dispose()
