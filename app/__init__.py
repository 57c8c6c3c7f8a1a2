"""Parloir: a self-hosted speech-to-text service.

One constructor for each kind of process. What they need is imported inside them, so that a worker never loads the
HTTP floors and the API never loads the workers.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from config.worker import WorkerConfig
    from workers.assembly import Worker


def create_worker(mode: str, config: "WorkerConfig") -> "Worker":
    """The worker of a mode (`batch`, `streaming`, `diarization`), ready to run."""
    from app.domain.job import Mode
    from workers.assembly import build_worker

    return build_worker(Mode(mode), config)
