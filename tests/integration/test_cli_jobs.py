"""`python -m app jobs`: what it prints, does and exits with."""

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest

from app.embedded.migrate import migrate
from app.embedded.postgres import EmbeddedPostgres
from app.embedded.redis import EmbeddedRedis
from app.services.media.folder import FolderStorage
from tests.dead_letters import TRACEBACK, failed, store
from tests.factories import House, make_house
from tests.workers import ROOT


@pytest.fixture
def jobs(house, command) -> Callable[..., int]:
    return partial(command, "jobs")


def printed(capsys) -> dict | list:
    return json.loads(capsys.readouterr().out)


def test_dead_letters_are_listed_for_people_and_for_programs(jobs, house: House, capsys):
    assert jobs("dead") == 0
    assert capsys.readouterr().out == "There are no dead letters.\n"
    older = failed(house, hours_ago=72, project_id="one", filename="call\x1b[31m.wav")
    newer = failed(house)
    assert jobs("dead") == 0
    told = capsys.readouterr().out
    head, first, second = told.splitlines()
    assert head.split() == ["JOB", "PROJECT", "ENDED", "CODE", "RUNS", "FILE"]
    assert first.startswith(newer)
    assert second.split()[:2] == [older, "one"]
    assert "media_empty" in second
    assert "\x1b" not in told
    assert jobs("dead", "--json", "--older-than", "2d", "--project", "one", "--code", "media_empty") == 0
    (job,) = printed(capsys)
    assert (job["id"], job["state"], job["attempt"], job["error"]["code"]) == (older, "FAILED", 1, "media_empty")
    assert jobs("dead", "--json", "--newer-than", "1h", "--limit", "1") == 0
    assert [job["id"] for job in printed(capsys)] == [newer]


def test_more_than_a_page_is_listed(jobs, house: House, capsys):
    for _ in range(205):
        house.add_job(state="FAILED", finished_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert jobs("dead", "--json", "--limit", "0") == 0
    ids = [job["id"] for job in printed(capsys)]
    assert len(ids) == len(set(ids)) == 205


def test_a_job_is_shown_with_its_errors_and_no_secrets(jobs, house: House, capsys):
    job_id = failed(house, detail=TRACEBACK)
    assert jobs("show", job_id) == 0
    told = capsys.readouterr().out
    assert "failure: media_empty" in told
    assert "test-worker" in told
    assert "RuntimeError: 401" in told
    assert "hunter2" not in told
    assert jobs("show", job_id, "--json") == 0
    shown = printed(capsys)
    assert (shown["id"], shown["errors"][0]["attempt"], shown["errors"][0]["code"]) == (job_id, 1, "media_empty")


def test_a_job_that_is_not_there_is_exit_code_2(jobs, capsys):
    assert jobs("show", str(uuid4())) == 2
    assert jobs("show", "nonsense") == 2
    assert capsys.readouterr().err.splitlines() == ["No job with this id."] * 2


def test_named_jobs_are_replayed_and_those_that_cannot_be_are_exit_code_1(jobs, house: House, capsys):
    first, second, waiting = failed(house), failed(house), house.add_job()
    assert jobs("replay", first) == 0
    assert house.queue.take(1) == first
    assert jobs("replay", second, waiting) == 1
    told = capsys.readouterr()
    assert told.out.splitlines() == ["1 replayed.", "1 replayed."]
    assert told.err.startswith(f"{waiting}: The job is QUEUED")
    assert {house.row(job_id).state for job_id in (first, second)} == {"QUEUED"}


def test_all_of_a_kind_are_replayed(jobs, house: House, capsys):
    mine, other = failed(house, project_id="one"), failed(house)
    assert jobs("replay", "--all", "--project", "one", "--json") == 0
    assert printed(capsys) == {"done": [mine], "refused": []}
    assert jobs("replay", "--all", "--code", "media_empty") == 0
    assert house.row(other).state == "QUEUED"


def test_jobs_are_purged_by_name_and_by_age(jobs, house: House, capsys, tmp_path):
    storage = FolderStorage(tmp_path / "audio")
    failed(house, audio_key=store(storage), hours_ago=31 * 24)
    named = failed(house, audio_key=store(storage), hours_ago=1)
    young = failed(house, audio_key=store(storage), hours_ago=29 * 24)
    assert jobs("purge", named) == 0
    assert jobs("purge", "--older-than", "30d", "--json") == 0
    assert capsys.readouterr().out.splitlines()[0] == "1 purged."
    assert jobs("dead", "--json") == 0
    assert [job["id"] for job in printed(capsys)] == [young]
    assert list(storage.kept_keys(older_than_s=-1)) == [house.row(young).audio_key]


@pytest.mark.parametrize(
    "arguments",
    [
        ["replay"],
        ["replay", "x", "--all"],
        ["replay", "x", "--code", "media_empty"],
        ["purge"],
        ["purge", "--code", "media_empty"],
        ["purge", "x", "--older-than", "30d"],
        ["purge", "--older-than", "30"],
        ["purge", "--older-than", "99999999d"],
        ["dead", "--limit", "some"],
        ["revive"],
    ],
)
def test_orders_that_are_not_clear_do_nothing_and_are_exit_code_2(jobs, house: House, arguments):
    job_id = failed(house, hours_ago=24 * 90)
    assert jobs(*arguments) == 2
    assert house.row(job_id).state == "FAILED"


def command(folder: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """The command as people run it, with nothing but a var dir."""
    return subprocess.run(
        [sys.executable, "-m", "app", "jobs", *arguments],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "VAR_DIR": str(folder), **environ},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_where_nothing_runs_one_line_says_so(tmp_path):
    ended = command(tmp_path / "var", "dead")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith(f"Nothing runs in {tmp_path / 'var'}: ")
    assert len(ended.stderr.splitlines()) == 1
    url = "postgresql://me:hunter2@127.0.0.1:9/x"
    ended = command(tmp_path / "var", "dead", DATABASE_URL=url, REDIS_URL="redis://127.0.0.1:9")
    assert (ended.returncode, ended.stderr) == (1, "The database of DATABASE_URL cannot be reached.\n")


def test_a_database_that_is_not_migrated_is_told(jobs, create_database, monkeypatch, capsys):
    monkeypatch.setenv("DATABASE_URL", create_database())
    assert jobs("dead") == 1
    assert "alembic upgrade head" in capsys.readouterr().err


def test_without_urls_the_servers_of_the_var_dir_are_used(tmp_path):
    postgres, redis = EmbeddedPostgres(tmp_path, is_durable=False), EmbeddedRedis(tmp_path)
    with ExitStack() as stack:
        stack.callback(postgres.stop)
        stack.callback(redis.stop)
        migrate(postgres.start())
        house = make_house(postgres.url, redis.start())
        stack.callback(house.engine.dispose)
        job_id = failed(house)
        ended = command(tmp_path, "replay", job_id)
        assert (ended.returncode, ended.stdout) == (0, "1 replayed.\n"), ended.stderr
        assert house.queue.take(1) == job_id
