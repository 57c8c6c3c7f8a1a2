"""What a launcher that was killed may have left: processes still ending. The next one waits for them.

A note is a file `NAME.pid` in the run dir with the process id, when it started, and the signal it ends on.
"""

import json
import os
import signal
from pathlib import Path

import psutil

PATIENCE_S = 10.0


def note(run_dir: Path, name: str, pid: int, end_signal: signal.Signals) -> None:
    """Note a process that was just started."""
    try:
        created_s = psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return  # it has ended already; there is nothing to find later
    run_dir.mkdir(parents=True, exist_ok=True)
    _path(run_dir, name).write_text(json.dumps({"pid": pid, "created_s": created_s, "signal": int(end_signal)}))


def forget(run_dir: Path, name: str) -> None:
    """Drop the note of a process that has ended."""
    _path(run_dir, name).unlink(missing_ok=True)


def end_leftovers(run_dir: Path, patience_s: float = PATIENCE_S) -> None:
    """End every process that is noted and still runs: asked first, killed after `patience_s` seconds.

    Only for the holder of the var dir's lock: nobody else's processes are noted there.
    """
    notes = list(run_dir.glob("*.pid"))
    found = [process for path in notes if (process := _asked_to_end(path))]
    _gone, alive = psutil.wait_procs(found, timeout=patience_s)
    for process in alive:
        os.killpg(process.pid, signal.SIGKILL)
    psutil.wait_procs(alive, timeout=1.0)
    for path in notes:
        path.unlink(missing_ok=True)


def _asked_to_end(path: Path) -> psutil.Process | None:
    try:
        noted = json.loads(path.read_text())
        process = psutil.Process(noted["pid"])
        # The number may have been given to another process since.
        if abs(process.create_time() - noted["created_s"]) > 1:
            return None
        process.send_signal(noted["signal"])
    except (psutil.NoSuchProcess, json.JSONDecodeError, KeyError):
        return None  # it is gone, or the launcher was killed while it wrote the note
    return process


def _path(run_dir: Path, name: str) -> Path:
    return run_dir / f"{name}.pid"
