"""Old and new processes side by side: the schema moves first, and what runs meanwhile does not notice."""

import io
import json
import re
from collections.abc import Callable
from dataclasses import asdict
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Engine, Identity, MetaData, Table, create_engine, delete, insert, select, text, update
from sqlalchemy.exc import OperationalError

from app.domain.transcript import Segment, Word, segment_from_dict, segment_to_dict
from app.embedded.migrate import MIGRATIONS, migrate
from app.queues.presence import PREFIX, WorkerPresence, list_workers
from tests.factories import make_house
from tests.http_api import RESULT, api_behind
from tests.workers import Site, wait_for, write_speechlike

# What a migration takes away or tightens, by revision: the beginning of the statement, and why no process of the
# release before can be hurt: for what is taken away, the release that stopped using it.
CONTRACTIONS: dict[tuple[str, str], str] = {
    ("0002", "ALTER TABLE jobs ADD CONSTRAINT ck_jobs_has_recording"): "every release writes audio_key or audio_url",
    (
        "0003",
        "ALTER TABLE projects ADD CONSTRAINT ck_projects_",
    ): "the columns are new, and no earlier release writes them",
    ("0003", "ALTER TABLE jobs DROP CONSTRAINT ck_jobs_has_recording"): "made again at once, allowing more",
    ("0003", "ALTER TABLE jobs ADD CONSTRAINT ck_jobs_has_recording"): "it allows all that the one before allowed",
    ("0005", "ALTER TABLE jobs ADD CONSTRAINT fk_jobs_source_id"): "the column is new; no earlier release writes it",
    ("0005", "ALTER TABLE jobs DROP CONSTRAINT ck_jobs_has_recording"): "made again at once, allowing more",
    ("0005", "ALTER TABLE jobs ADD CONSTRAINT ck_jobs_has_recording"): "it allows all that the one before allowed",
    ("0006", "ALTER TABLE jobs ADD CONSTRAINT fk_jobs_parent_id_jobs"): "the column is new, and no release writes it",
}

# One row of each table of the first schema, in the order in which they can be written.
JOB = str(uuid4())
FIRST_ROWS: dict[str, dict[str, Any]] = {
    "projects": {"id": "p", "name": "p"},
    "jobs": {
        "id": JOB,
        "project_id": "p",
        "mode": "batch",
        "state": "QUEUED",
        "priority": 1,
        "options": {},
        "metadata": {},
        "filename": "a.wav",
        "content_type": "audio/wav",
        "size_bytes": 1,
        "sha256": "0",
        "audio_key": "k",
        "estimated_s": 1.0,
    },
    "idempotency_keys": {"project_id": "p", "key": "k", "fingerprint": "f", "job_id": JOB},
    "job_errors": {"job_id": JOB, "attempt": 1, "kind": "crash", "code": "child_died", "message": "x"},
    "job_parts": {"job_id": JOB, "part": 0, "start_sample": 0, "end_sample": 1, "segments": []},
    "job_transcripts": {"job_id": JOB, "text": "x", "segments": [], "speakers": [], "warnings": []},
}


def in_order() -> list[Script]:
    return list(ScriptDirectory(str(MIGRATIONS)).walk_revisions())[::-1]


def statements_of(script: Script) -> list[str]:
    """The SQL of a migration's way up."""
    written = io.StringIO()
    context = MigrationContext.configure(
        dialect_name="postgresql", opts={"as_sql": True, "output_buffer": written, "literal_binds": True}
    )
    with Operations.context(context):
        script.module.upgrade()
    return [" ".join(one.split()) for one in written.getvalue().split(";") if one.strip()]


def contracts(statement: str, new_tables: set[str]) -> bool:
    """Whether processes of the release before could miss something after this statement, or be refused something."""
    if re.match(r"(DROP|TRUNCATE|DELETE|UPDATE) ", statement) or " RENAME " in statement:
        return True
    altered = re.match(r"ALTER TABLE (?:ONLY )?(\S+) (.*)", statement)
    if altered is None:
        return statement.startswith("CREATE UNIQUE INDEX") and statement.split(" ON ")[1].split()[0] not in new_tables
    table, change = altered.groups()
    return table not in new_tables and _tightens(change)


def _tightens(change: str) -> bool:
    if change.startswith("ADD COLUMN"):
        return "NOT NULL" in change and "DEFAULT" not in change
    if change.startswith("ALTER COLUMN"):
        return "DROP NOT NULL" not in change and "SET DEFAULT" not in change
    return True


def made_by(statements: list[str]) -> set[str]:
    return {found[1] for one in statements if (found := re.match(r"CREATE TABLE (\S+)", one))}


@pytest.mark.parametrize("script", in_order(), ids=lambda script: script.revision)
def test_each_migration_only_expands_or_says_why_not(script: Script):
    statements = statements_of(script)
    assert statements
    new_tables = made_by(statements)
    allowed = tuple(start for revision, start in CONTRACTIONS if revision == script.revision)
    refused = [one for one in statements if contracts(one, new_tables) and not one.startswith(allowed or ("\0",))]
    assert refused == []


@pytest.mark.parametrize(
    ("statement", "is_contraction"),
    [
        ("ALTER TABLE jobs ADD COLUMN a TEXT", False),
        ("ALTER TABLE jobs ADD COLUMN a TEXT DEFAULT 'x' NOT NULL", False),
        ("ALTER TABLE jobs ADD COLUMN a TEXT NOT NULL", True),
        ("ALTER TABLE new ADD COLUMN a TEXT NOT NULL", False),
        ("ALTER TABLE jobs ALTER COLUMN a DROP NOT NULL", False),
        ("ALTER TABLE jobs ALTER COLUMN a SET NOT NULL", True),
        ("ALTER TABLE jobs ALTER COLUMN a TYPE INTEGER", True),
        ("ALTER TABLE jobs ALTER COLUMN a DROP DEFAULT", True),
        ("ALTER TABLE jobs DROP COLUMN a", True),
        ("ALTER TABLE jobs RENAME a TO b", True),
        ("ALTER TABLE jobs ADD CONSTRAINT c CHECK (a > 0)", True),
        ("CREATE UNIQUE INDEX i ON jobs (a)", True),
        ("CREATE UNIQUE INDEX i ON new (a)", False),
        ("CREATE INDEX i ON jobs (a)", False),
        ("DROP TABLE jobs", True),
        ("DROP INDEX ix_jobs_due", True),
    ],
)
def test_what_counts_as_a_contraction(statement, is_contraction):
    assert contracts(statement, {"new"}) is is_contraction


def test_no_contraction_is_listed_that_is_not_made():
    made = {(script.revision, one) for script in in_order() for one in statements_of(script)}
    for revision, start in CONTRACTIONS:
        assert any(of == revision and one.startswith(start) for of, one in made), start


def upgrade(engine: Engine, revision: str, **attributes: str) -> None:
    config = Config(attributes=attributes)
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.commit()


def tables_of(engine: Engine) -> list[Table]:
    """The tables as the processes of this schema know them, in the order in which rows can be written."""
    known = MetaData()
    known.reflect(engine)
    return [table for table in known.sorted_tables if table.name != "alembic_version"]


def written_columns(table: Table) -> list[str]:
    """Those that are written by us, not by PostgreSQL."""
    return [c.name for c in table.columns if c.computed is None and not isinstance(c.identity, Identity)]


def rows_of(connection, table: Table) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(select(table)).mappings()]


def test_after_each_migration_the_statements_of_the_schema_before_still_work(create_database: Callable[[], str]):
    engine = create_engine(create_database())
    revisions = [script.revision for script in in_order()]
    upgrade(engine, revisions[0])
    with engine.begin() as connection:
        for table in tables_of(engine):
            connection.execute(insert(table).values(FIRST_ROWS[table.name]))
    for _before, after in pairwise(revisions):
        old_tables = tables_of(engine)
        upgrade(engine, after)
        with engine.begin() as connection:
            use(connection, old_tables)
    engine.dispose()


def use(connection, tables: list[Table]) -> None:
    """Read, write, remove and write again every row, naming only the columns that these tables have."""
    kept = {table.name: rows_of(connection, table) for table in tables}
    assert kept["jobs"]
    for table in tables:
        columns = [table.c[name] for name in written_columns(table)]
        assert connection.execute(update(table).values({c: c for c in columns})).rowcount == len(kept[table.name])
    for table in reversed(tables):
        connection.execute(delete(table))
    for table in tables:
        for row in kept[table.name]:
            connection.execute(insert(table).values({name: row[name] for name in written_columns(table)}))


def test_a_migration_gives_up_rather_than_hold_up_everybody_behind_a_long_reader(create_database: Callable[[], str]):
    engine = create_engine(create_database())
    upgrade(engine, "0001")
    with engine.connect() as reader:
        reader.execute(text("SELECT count(*) FROM jobs"))
        with pytest.raises(OperationalError, match="lock timeout"):
            upgrade(engine, "head", lock_timeout="200ms")
    upgrade(engine, "head", lock_timeout="200ms")
    engine.dispose()


TOMORROW = (
    "ALTER TABLE jobs ADD COLUMN tomorrow text",
    "ALTER TABLE jobs ADD COLUMN tomorrow_too integer NOT NULL DEFAULT 7",
    "ALTER TABLE job_parts ADD COLUMN tomorrow text",
    "ALTER TABLE job_transcripts ADD COLUMN tomorrow text",
    "ALTER TABLE deliveries ADD COLUMN tomorrow text",
    "CREATE INDEX ix_tomorrow ON jobs (tomorrow)",
    "CREATE TABLE tomorrows (id uuid PRIMARY KEY, job_id uuid REFERENCES jobs (id) ON DELETE CASCADE)",
)


@pytest.mark.usefixtures("clean")
def test_jobs_go_on_through_a_migration(create_database: Callable[[], str], redis_url, tmp_path):
    """API and worker are of the version before the columns; neither is started again."""
    url = create_database()
    migrate(url)
    speech = write_speechlike(tmp_path / "speech.wav", 6.0).read_bytes()
    site = Site(url, redis_url, tmp_path)
    with api_behind(url, redis_url, tmp_path) as api, site.worker():
        running = api.created(audio=speech, prompt="sleep:1.5")
        waiting = api.created(audio=speech)
        wait_for(lambda: api.house.row(running).state == "PROCESSING" and site.heard)
        with api.house.engine.begin() as connection:
            for statement in TOMORROW:
                connection.execute(text(statement))
        assert api.house.row(running).state == "PROCESSING"
        later = api.created(audio=speech)
        for job_id in (running, waiting, later):
            wait_for(lambda job_id=job_id: api.house.row(job_id).finished_at)
            row = api.house.row(job_id)
            assert (row.state, row.attempt, row.failures, row.crashes) == ("COMPLETED", 1, 0, 0), site.logs()
            assert "span" in api.client.get(RESULT, query_string={"job_uuid": job_id}).text
        assert api.client.delete(f"/api/jobs/{later}").status_code < 300


@pytest.mark.usefixtures("clean")
def test_an_old_process_reads_what_a_newer_worker_tells_of_itself(postgres_url, redis_url):
    house = make_house(postgres_url, redis_url)
    told = {**asdict(WorkerPresence("host:1:abc", "batch", 2, 0)), "of_tomorrow": 1}
    house.client.set(f"{PREFIX}host:1:abc", json.dumps(told))
    assert [worker.name for worker in list_workers(house.client)] == ["host:1:abc"]
    house.engine.dispose()


def test_an_old_process_reads_segments_that_a_newer_one_stored():
    segment = Segment(0, 0.0, 1.0, "x", 0.9, None, (Word("x", 0.0, 1.0, 0.9),))
    stored = segment_to_dict(segment)
    words = [{**word, "of_tomorrow": 1} for word in stored["words"]]
    assert segment_from_dict({**stored, "words": words, "of_tomorrow": 1}) == segment
