"""The producer, in the virtual environment of a queue: `produce.py MODULE N KIND SECONDS PAUSE_S N_BEFORE`.

With a pause, a job is put in only so long after the one before has come to its end, so that it finds the worker idle.
"""

import importlib
import sys
import time
from typing import Any
from uuid import uuid4

from bench_row import execute


def main(module: str, n: int, kind: str, seconds: float, pause_s: float, n_before: int) -> None:
    peer = importlib.import_module(module)
    for i in range(n):
        peer.enqueue(str(uuid4()), time.time(), kind, seconds)
        if pause_s:
            wait_for(peer, n_before + i + 1)
            time.sleep(pause_s)


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
