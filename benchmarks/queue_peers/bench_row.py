"""What the task of every peer does: commit the row that says when it started; then hold on, if it is asked to."""

import ctypes
import os
import threading
import time
from typing import Any

import psycopg2

INSERT = "INSERT INTO bench_jobs (id, enqueued_at, started_at) VALUES (%s, %s, %s)"
REDIS = os.environ.get("BENCH_REDIS", "")
POSTGRES = os.environ.get("BENCH_POSTGRES", "")
TUNED = os.environ.get("BENCH_TUNED") == "1"

_own = threading.local()


def run(job_id: str, enqueued_at: float, kind: str, seconds: float) -> None:
    """The task: `kind` is noop, hold (sleep) or spin (hold the GIL)."""
    started_at = time.time()
    execute(INSERT, (job_id, enqueued_at, started_at))
    linger(kind, seconds)


async def run_async(job_id: str, enqueued_at: float, kind: str, seconds: float) -> None:
    """The same for queues whose tasks are coroutines; the row is quick enough to be written in line."""
    run(job_id, enqueued_at, kind, seconds)


def linger(kind: str, seconds: float) -> None:
    """Hold on, with the GIL (`spin`) or without (`hold`)."""
    if kind == "hold":
        time.sleep(seconds)
    elif kind == "spin":
        ctypes.PyDLL(None).usleep(int(seconds * 1e6))


def execute(statement: str, values: tuple[object, ...] = ()) -> Any:
    """Run and commit one statement; the cursor. One connection a thread, and none of a process that forked this one."""
    if getattr(_own, "pid", None) != os.getpid():
        _own.connection, _own.pid = psycopg2.connect(POSTGRES), os.getpid()
        _own.connection.autocommit = True
    cursor = _own.connection.cursor()
    cursor.execute(statement, values)
    return cursor
