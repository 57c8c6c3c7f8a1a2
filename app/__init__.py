"""Parloir: a self-hosted speech-to-text service.

One constructor for each kind of process. What they need is imported inside them, so that a worker never loads the
HTTP floors and the API never loads the workers.
"""

from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from flask import Flask

    from config.api import ApiConfig
    from config.worker import WorkerConfig
    from workers.assembly import Worker
    from workers.maintenance import Maintenance


def create_api(config: "ApiConfig") -> "Flask":
    """The API, ready to be served."""
    from app.api import build_api

    return build_api(config)


def create_worker(mode: str, config: "WorkerConfig") -> "Worker | Maintenance":
    """The worker of a mode (`batch`, `streaming`, `diarization`, `maintenance`), ready to run."""
    if mode == "maintenance":
        from workers.maintenance import build_maintenance

        return build_maintenance(config)
    if mode == "streaming":
        from workers.streaming.assembly import build_streaming_worker

        return build_streaming_worker(config)
    from app.domain.job import Mode
    from workers.assembly import build_worker

    return build_worker(Mode(mode), config)
