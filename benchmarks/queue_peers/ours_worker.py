"""Our worker as it is, but for the engine: `ours_worker.py CONCURRENCY`. Its children run `ours_child`."""

import sys
from dataclasses import replace

from app.domain.job import Mode
from app.observability.logging import configure_logging
from config.worker import WorkerConfig
from workers.assembly import build_worker

if __name__ == "__main__":
    settings = replace(WorkerConfig.from_env(), concurrency=int(sys.argv[1]))
    configure_logging(settings.log_format, settings.log_level)
    build_worker(Mode.BATCH, settings, child_module="benchmarks.queue_peers.ours_child").run()
