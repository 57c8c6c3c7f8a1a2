"""Settings of gunicorn, which serves the API."""

import logging
from pathlib import Path
from typing import Any

from gunicorn.glogging import Logger

from config.api import ApiConfig

GRACE_S = 5
# The heartbeat of gunicorn's processes is a file; in memory a slow disk cannot make them look dead.
MEMORY_DIR = Path("/dev/shm")  # noqa: S108 - gunicorn makes its file there safely


def gunicorn_settings(config: ApiConfig) -> dict[str, Any]:
    """What gunicorn is told, by the names of its own settings."""
    ports = [config.port, *([config.vosk_port] if config.vosk_port else [])]
    return {
        "bind": [f"{config.host}:{port}" for port in ports],
        "workers": config.processes,
        "worker_class": "gevent",
        "worker_connections": 2000,
        "worker_tmp_dir": str(MEMORY_DIR) if MEMORY_DIR.is_dir() else None,
        "timeout": 60,
        "graceful_timeout": GRACE_S,
        "keepalive": 75,
        "control_socket_disable": True,
        "logger_class": PassingLogger,
        "proc_name": "parloir-api",
        "post_fork": post_fork,
        "child_exit": child_exit,
    }


class PassingLogger(Logger):  # type: ignore[misc]
    """Hands gunicorn's logs to ours; the API logs its requests itself."""

    def setup(self, cfg: Any) -> None:
        """Take no handlers and no levels of its own."""
        self.cfg = cfg
        self.error_log.propagate = True
        self.error_log.setLevel(logging.NOTSET)
        self.access_log.disabled = True


def post_fork(_server: object, _worker: object) -> None:
    """In a new process: let psycopg2 wait without holding up the other requests, and not for ever."""
    from app.services.patience import install

    install()


def child_exit(_server: object, worker: Any) -> None:
    """In the master: drop the gauges of a process that has ended."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
