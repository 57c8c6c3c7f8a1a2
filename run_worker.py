"""Run a worker: `python run_worker.py batch [--concurrency N]`."""

import argparse
import sys
from dataclasses import replace

from app import create_worker
from app.observability.logging import configure_logging
from config.reading import ConfigError
from config.worker import WorkerConfig


def main() -> None:
    """Read the settings, build the worker, run it."""
    parser = argparse.ArgumentParser(description="Run a worker of one mode until SIGTERM.")
    parser.add_argument("mode", choices=["batch", "diarization", "maintenance"])
    parser.add_argument("--concurrency", type=int, help="jobs at once; default: CONCURRENCY, else 1")
    asked = parser.parse_args()
    try:
        config = WorkerConfig.from_env()
    except ConfigError as error:
        sys.exit(str(error))
    if asked.concurrency:
        config = replace(config, concurrency=asked.concurrency)
    configure_logging(config.log_format, config.log_level)
    create_worker(asked.mode, config).run()


if __name__ == "__main__":
    main()
