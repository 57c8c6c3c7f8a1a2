"""How soon an idle worker has claimed a job, from the API's own commit on.

Both ends log it: `job_accepted` right after the commit of the row, `job_claimed` right after the commit of the claim.
Same machine, same clock. The engine is the scripted one of the tests, so that the worker is idle again at once.
"""

import argparse
import time
from datetime import datetime
from pathlib import Path

from benchmarks.report import heading, percentile, row
from benchmarks.service import ROOT, running


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=300)
    asked = parser.parse_args()
    recording = min((ROOT / "assets" / "demo").glob("*.flac"), key=lambda path: path.stat().st_size)
    waits_ms = measure(asked.jobs, recording)
    heading("createJob to claimed, idle worker")
    print("| figure | measured | target |\n|---|---|---|")
    row("jobs", str(len(waits_ms)))
    row("p50", f"{percentile(waits_ms, 0.5):.2f} ms", "≤ 3 ms")
    row("p99", f"{percentile(waits_ms, 0.99):.2f} ms", "≤ 15 ms")


def measure(n_jobs: int, recording: Path) -> list[float]:
    """Milliseconds from commit to claim, for each job."""
    plugins = f"{ROOT / 'tests' / 'plugins'}:{ROOT}"
    with running(DEFAULT_ENGINE="scripted", PYTHONPATH=plugins, LOG_LEVEL="INFO") as service:
        jobs = []
        for _ in range(n_jobs):
            jobs.append(service.submit(recording))
            service.result(jobs[-1])
            time.sleep(0.05)
        accepted, started = service.logged("job_accepted"), service.logged("job_claimed")
    return [1000 * (_at(started[job]) - _at(accepted[job])) for job in jobs]


def _at(line: dict[str, str]) -> float:
    return datetime.fromisoformat(line["timestamp"]).timestamp()


if __name__ == "__main__":
    main()
