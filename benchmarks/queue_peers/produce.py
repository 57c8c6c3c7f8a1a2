"""The producer, in the virtual environment of a queue: `produce.py MODULE N KIND SECONDS PAUSE_S N_BEFORE`.

With BENCH_PROMISE=1 a row of the job is committed before it is put in, as one who
answers for it must.
"""

import importlib
import os
import sys
import time
from typing import Any
from uuid import uuid4

from bench_row import execute

PROMISES = os.environ.get("BENCH_PROMISE") == "1"


def main(module: str, n: int, kind: str, seconds: float, pause_s: float, n_before: int) -> None:
    peer = importlib.import_module(module)
    for i in range(n):
        job_id, now = str(uuid4()), time.time()
        if PROMISES:
            execute("INSERT INTO bench_promises (id, enqueued_at) VALUES (%s, %s)", (job_id, now))
        peer.enqueue(job_id, now, kind, seconds)
        if pause_s:
            time.sleep(pause_s)  # first, so that the looking does not take the worker's time
            wait_for(peer, n_before + i + 1)


def wait_for(peer: Any, n: int) -> None:
    """Wait until so many have come to their end; looks seldom, for looking costs the worker time too."""
    table = getattr(peer, "TABLE", "bench_jobs")
    deadline_s = time.monotonic() + 30
    while execute(f"SELECT count(*) FROM {table}").fetchone()[0] < n:
        if time.monotonic() > deadline_s:
            sys.exit(f"job {n} did not come to its end within 30 s")
        time.sleep(0.01)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3], float(sys.argv[4]), float(sys.argv[5]), int(sys.argv[6]))
