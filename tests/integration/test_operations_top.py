"""`python -m app top`: what it prints, and what it says when there is nothing to see."""

import json
import os
import pty
import re
import signal
import subprocess
import sys

import pytest

from app.queues.presence import WorkerPresence, announce
from tests.factories import House
from tests.workers import ROOT


@pytest.fixture
def servers(postgres_url, redis_url):
    return {"DATABASE_URL": postgres_url, "REDIS_URL": redis_url}


@pytest.fixture
def job(house: House):
    """A job in flight, told by its worker, and one that waits without a hint."""
    job = house.claim(house.add_job())
    house.claims.beat(job, 0.5, None)
    announce(house.client, WorkerPresence("host:1:abc", "batch", 2, 1, (job.id,), 7, 0, 1, 4))
    house.add_job()
    return job


def top(*arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    inherited = {key: value for key, value in os.environ.items() if key not in {"DATABASE_URL", "REDIS_URL"}}
    command = [sys.executable, "-m", "app", "top", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=inherited | settings, capture_output=True, text=True, timeout=30, check=False
    )


def test_once_prints_queues_workers_and_jobs_in_flight(job, servers):
    shown = top("--once", **servers)
    assert shown.returncode == 0, shown.stderr
    assert "\x1b" not in shown.stdout
    (queue,) = re.findall(r"^batch_queue +(.*)", shown.stdout, flags=re.MULTILINE)
    assert queue.split()[:4] == ["1", "1", "0", "1"]
    (worker,) = re.findall(r"^host:1:abc +(.*)", shown.stdout, flags=re.MULTILINE)
    assert worker.split() == ["batch", "1/2", "7", "0", "1", "4", job.id]
    (run,) = re.findall(rf"^{job.id} +(.*)", shown.stdout, flags=re.MULTILINE)
    assert run.split()[:3] == ["batch", "1", "50%"]
    assert "fenced writes 4" in shown.stdout


def test_json_tells_the_same_to_programs(job, servers):
    told = json.loads(top("--json", **servers).stdout)
    assert (told["database"], told["redis"], told["fenced"]) == (True, True, 4)
    assert [queue["drift"] for queue in told["queues"] if queue["mode"] == "batch"] == [1]
    assert told["runs"][0]["job_id"] == job.id
    assert told["workers"][0]["jobs"] == [job.id]
    assert told["last_hour"]["poisoned"] == 0


def test_on_a_terminal_it_goes_on_until_it_is_told_to_end(job, servers):
    ours, theirs = pty.openpty()
    environ = {**os.environ, **servers, "TERM": "xterm", "COLUMNS": "200", "LINES": "50"}
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "top"], cwd=ROOT, env=environ, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    try:
        shown = b""
        while b"Ctrl-C" not in shown or shown.count(b"batch_queue") < 2:
            shown += os.read(ours, 65536)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    assert b"host:1:abc" in shown


def test_one_line_says_that_nothing_runs(tmp_path):
    ended = top("--once", VAR_DIR=str(tmp_path))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.splitlines() == [
        f"Nothing runs in {tmp_path}: start it (`make run`), or set VAR_DIR, or DATABASE_URL and REDIS_URL."
    ]
    assert list(tmp_path.iterdir()) == []


def test_one_line_says_that_the_servers_do_not_answer():
    ended = top(DATABASE_URL="postgresql://127.0.0.1:1/none", REDIS_URL="redis://127.0.0.1:1")
    assert ended.returncode == 1
    assert ended.stderr.splitlines() == [
        "Neither PostgreSQL nor Redis answers: DATABASE_URL and REDIS_URL say where they are looked for."
    ]


def test_a_url_that_is_none_is_told():
    ended = top(DATABASE_URL="mysql://somewhere")
    assert ended.returncode == 2
    assert "DATABASE_URL" in ended.stderr


@pytest.fixture
def embedded_dir(server_dir):
    """The var dir of the tests' own servers, found here as an operator finds them."""
    if os.environ.get("TEST_DATABASE_URL") or os.environ.get("TEST_REDIS_URL"):
        pytest.skip("the servers are somebody else's")
    return str(server_dir)


def test_a_server_without_a_url_is_the_embedded_one_of_the_var_dir(job, postgres_url, embedded_dir):
    told = json.loads(top("--json", VAR_DIR=embedded_dir, DATABASE_URL=postgres_url).stdout)
    assert [worker["name"] for worker in told["workers"]] == ["host:1:abc"]


def test_a_database_of_another_schema_is_told_in_one_line(house: House, embedded_dir):
    """The embedded server's own database has no tables: the tests make others beside it."""
    ended = top("--once", VAR_DIR=embedded_dir)
    assert ended.returncode == 1
    assert ended.stderr.splitlines() == [
        "The database's schema is not that of this version: migrate it (`python -m alembic upgrade head`)."
    ]
