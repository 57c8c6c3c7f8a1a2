"""The embedded PostgreSQL and Redis: what is kept, what is refused, what is left behind."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import psycopg2
import pytest
import redis

from app.embedded.errors import LaunchError
from app.embedded.leftovers import end_leftovers, note
from app.embedded.postgres import EmbeddedPostgres
from app.embedded.process import Command, Process
from app.embedded.redis import EmbeddedRedis
from app.embedded.watched import Watched


@pytest.fixture
def postgres() -> Iterator[Callable[[Path], EmbeddedPostgres]]:
    with ExitStack() as stack:

        def start(var_dir: Path) -> EmbeddedPostgres:
            server = EmbeddedPostgres(var_dir, is_durable=False)
            stack.callback(server.stop)
            server.start()
            return server

        yield start


def query(server: EmbeddedPostgres, sql: str) -> list[tuple[object, ...]]:
    connection = psycopg2.connect(server.url.replace("+psycopg2", ""))
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def test_what_is_committed_is_there_after_a_restart(postgres, tmp_path):
    first = postgres(tmp_path)
    query(first, "CREATE TABLE kept AS SELECT 42 AS answer")
    first.stop()
    assert query(postgres(tmp_path), "SELECT answer FROM kept") == [(42,)]


def test_what_is_committed_survives_a_killed_server(postgres, tmp_path):
    first = postgres(tmp_path)
    query(first, "CREATE TABLE kept AS SELECT 42 AS answer")
    first.process.kill_group()
    assert query(postgres(tmp_path), "SELECT answer FROM kept") == [(42,)]


def test_a_pid_file_whose_number_is_another_process_by_now_does_not_block(postgres, tmp_path):
    postgres(tmp_path).stop()
    stale = tmp_path / "postgres" / "data" / "postmaster.pid"
    stale.write_text(f"{os.getppid()}\n{stale.parent}\n0\n5432\n\n\n\nready\n")
    assert query(postgres(tmp_path), "SELECT 1") == [(1,)]


def test_servers_of_two_var_dirs_are_two_servers_however_long_the_path(postgres, tmp_path):
    deep = tmp_path.joinpath(*["a-folder-with-a-rather-long-name"] * 5)
    one, two = postgres(tmp_path / "one"), postgres(deep)
    query(one, "CREATE TABLE only_here ()")
    assert query(two, "SELECT to_regclass('only_here')") == [(None,)]


def test_text_search_knows_accents(postgres, tmp_path):
    assert query(postgres(tmp_path), "SELECT lower('ÉTÉ'), to_tsvector('simple', 'ÉTÉ')::text") == [("été", "'été':1")]


def test_data_of_another_postgresql_is_left_alone_and_told_in_one_line(tmp_path):
    data = tmp_path / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("16\n")
    with pytest.raises(LaunchError, match="was made by PostgreSQL 16 and this is PostgreSQL 18") as raised:
        EmbeddedPostgres(tmp_path).start()
    assert "\n" not in str(raised.value)
    assert [path.name for path in data.iterdir()] == ["PG_VERSION"]


def test_a_data_directory_that_was_never_finished_is_made_anew(postgres, tmp_path):
    half_made = tmp_path / "postgres" / "new"
    half_made.mkdir(parents=True)
    (half_made / "PG_VERSION").write_text("18\n")
    assert query(postgres(tmp_path), "SELECT 1") == [(1,)]


def test_two_servers_on_one_data_directory_are_refused(postgres, tmp_path, monkeypatch):
    monkeypatch.setattr("app.embedded.postgres.ENDING_WITHIN_S", 0.1)
    running = postgres(tmp_path)
    with pytest.raises(LaunchError, match=f"already runs on .*process {running.process.pid}"):
        EmbeddedPostgres(tmp_path).start()
    assert query(running, "SELECT 1") == [(1,)]


def test_nobody_else_may_reach_the_servers(postgres, tmp_path):
    server = postgres(tmp_path)
    redis_server = EmbeddedRedis(tmp_path)
    redis_server.start()
    try:
        for process in (server.process, redis_server.process):
            assert psutil.Process(process.pid).net_connections("inet") == []
            assert psutil.Process(process.pid).uids().effective != 0
        with redis.Redis.from_url(redis_server.url) as client:
            socket = Path(client.connection_pool.connection_kwargs["path"])
        assert socket.parent.stat().st_mode & 0o077 == 0
    finally:
        redis_server.stop()
    assert not socket.exists()


def test_a_process_left_by_a_killed_launcher_is_ended(tmp_path):
    left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    note(tmp_path, "left", left.pid, signal.SIGTERM)
    end_leftovers(tmp_path)
    left.wait(timeout=5)
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_only_has_the_number_of_one_left_behind_is_spared(tmp_path):
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    try:
        (tmp_path / "left.pid").write_text(json.dumps({"pid": other.pid, "created_s": 1.0, "signal": 15}))
        end_leftovers(tmp_path)
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_what_fails_again_and_again_is_started_again_ever_more_rarely(tmp_path):
    told: list[str] = []
    process = Process(Command(name="brief", argv=[sys.executable, "-c", "raise SystemExit(3)"], run_dir=tmp_path))
    watched = Watched(process, process.start, told.append)
    for _ in range(3):
        process.start()
        process.end(10)
        watched.look()
        watched._due_s = None
    assert told == [f"brief ended (exit code 3); it is started again in {wait_s} s." for wait_s in (1, 2, 4)]
