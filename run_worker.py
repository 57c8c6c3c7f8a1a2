"""Run a worker: `python run_worker.py batch [--concurrency N]`."""

import argparse
import signal
import sys
from dataclasses import replace
from types import FrameType

from app import create_worker
from app.observability.logging import configure_logging
from app.services import patience
from app.services.schema import SchemaBehind, await_schema
from config.reading import ConfigError
from config.worker import WorkerConfig


def main() -> None:
    """Read the settings, make sure of the schema, build the worker, run it."""
    parser = argparse.ArgumentParser(description="Run a worker of one mode until SIGTERM.")
    parser.add_argument("mode", choices=["batch", "streaming", "diarization", "maintenance"])
    parser.add_argument("--concurrency", type=int, help="jobs at once; default: CONCURRENCY, else 1")
    asked = parser.parse_args()
    try:
        config = WorkerConfig.from_env()
    except ConfigError as error:
        sys.exit(str(error))
    if asked.concurrency:
        config = replace(config, concurrency=asked.concurrency)
    configure_logging(config.log_format, config.log_level)
    patience.install()
    signal.signal(signal.SIGTERM, _end)  # until the worker is there to end in good order
    try:
        await_schema(config.database_url)
    except SchemaBehind as error:
        sys.exit(str(error))
    create_worker(asked.mode, config).run()


def _end(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    main()
