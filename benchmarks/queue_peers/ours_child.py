"""Our child process as it is, but for the pipeline: it answers at once with the time at which it was asked.

The time is the transcript's text, so that it is committed with everything else that a job leaves.
"""

import sys
import time
from multiprocessing.connection import Connection
from typing import Any

from app.audio.confinement import end_with_parent
from app.domain.job import JobOptions
from app.domain.transcript import Segment, Transcript
from benchmarks.queue_peers.bench_row import run
from workers.child import Child


class NoEngine:
    """A pipeline that hears nothing but the clock."""

    def run(self, _path: object, options: JobOptions, _observer: object, _resume: object) -> Transcript:
        now = time.time()
        if options.prompt:
            kind, _, seconds = options.prompt.partition(":")
            run("ours", now, kind, float(seconds))
        return Transcript((Segment(0, 0.0, 1.0, f"{now:.6f}"),), (), "en", 1.0, "none", "none")

    def warm(self, _usual: JobOptions) -> None: ...


def main(fd: int, parent_pid: int) -> None:
    end_with_parent(parent_pid)
    nothing: Any = None
    pipeline: Any = NoEngine()
    Child(Connection(fd), pipeline, nothing, nothing).serve(JobOptions())


if __name__ == "__main__":
    main(int(sys.argv[2]), int(sys.argv[3]))
