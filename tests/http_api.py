"""The API for tests: in this process, or served by gunicorn as it is in earnest."""

import io
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx
import psutil
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import create_api
from config import ApiConfig
from tests.factories import House, make_house
from tests.workers import PLUGINS, ROOT

CREATE = "/api/batchTranscription/createJob"
RESULT = "/api/batchTranscription/result"
# The least that is a recording: a WAV header, and a second of nothing.
WAV = (
    b"RIFF\x24\x7d\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x80\x3e\x00\x00\x00\x7d\x00\x00\x02\x00\x10\x00data"
    b"\x00\x7d\x00\x00" + bytes(32_000)
)


def make_app(postgres_url: str, redis_url: str, folder: Path, **settings: str) -> Flask:
    """The application, as its factory makes it."""
    servers = {"DATABASE_URL": postgres_url, "REDIS_URL": redis_url, "VAR_DIR": str(folder)}
    return create_api(ApiConfig.from_env({**servers, "DEFAULT_ENGINE": "scripted", **settings}))


@contextmanager
def api_behind(postgres_url: str, redis_url: str, folder: Path, **settings: str) -> Iterator["Api"]:
    """The application in this process, with the scripted engine plugged in."""
    house = make_house(postgres_url, redis_url)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(PLUGINS)
        app = make_app(postgres_url, redis_url, folder, **settings)
    yield Api(app.test_client(), house, folder)
    house.engine.dispose()
    with app.app_context():
        app.extensions["sqlalchemy"].engine.dispose()


@dataclass
class Api:
    """The application with what is behind it."""

    client: FlaskClient
    house: House
    folder: Path

    def create(self, filename: str = "a.wav", audio: bytes = WAV, headers: Any = None, **fields: Any) -> TestResponse:
        """Hand a recording in."""
        form = {"audioFile": (io.BytesIO(audio), filename), **fields}
        return self.client.post(CREATE, data=form, headers=headers)

    def created(self, **what: Any) -> str:
        """The id of a job that was taken in."""
        answer = self.create(**what)
        assert answer.status_code == 202, answer.text
        return str(answer.json["data"]["job_uuid"])

    def files(self) -> list[Path]:
        """All that lies on storage."""
        return files_below(self.folder)

    def left_over(self) -> dict[str, Any]:
        """What a refused request may not leave: rows, files, hints, held keys."""
        n_rows = self.client.get("/api/jobs").json["data"]["jobs"]
        return {"rows": n_rows, "files": self.files(), "redis": self.house.client.keys("*")}


NOTHING: dict[str, Any] = {"rows": [], "files": [], "redis": []}


def files_below(folder: Path) -> list[Path]:
    return [path for path in (folder / "audio").rglob("*") if path.is_file()]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class ServedApi:
    """One gunicorn process with gevent, on a port of its own."""

    def __init__(self, postgres_url: str, redis_url: str, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._environ = {
            **os.environ,
            "DATABASE_URL": postgres_url,
            "REDIS_URL": redis_url,
            "VAR_DIR": str(folder),
            "PORT": str(self.port),
            "API_PROCESSES": "1",
            "DEFAULT_ENGINE": "scripted",
            "LOG_FORMAT": "json",
            "PYTHONPATH": f"{PLUGINS}:{ROOT}",
            **settings,
        }

    def __enter__(self) -> Self:
        self._log = (self.folder / "api.log").open("wb")
        self.start_again()
        deadline_s = time.monotonic() + 30
        while not self._answers():
            assert self._process.poll() is None, self.told()
            assert time.monotonic() < deadline_s, self.told()
            time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(15)
        finally:
            self._process.kill()
            self._log.close()

    def start_again(self) -> None:
        """Start it, without waiting until it answers."""
        self._process = subprocess.Popen(
            [sys.executable, "run_api.py"], cwd=ROOT, env=self._environ, stdout=self._log, stderr=self._log
        )

    def kill(self) -> None:
        """End the process that starts those that answer; they notice and end."""
        self._process.kill()
        self._process.wait()

    def kill_all(self) -> None:
        """End all its processes at once."""
        for process in (psutil.Process(self._process.pid), *psutil.Process(self._process.pid).children()):
            process.kill()
        self._process.wait()

    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process that starts those that answer."""
        return self._process.pid

    def told(self) -> str:
        """What it has logged."""
        return (self.folder / "api.log").read_text()

    def files(self) -> list[Path]:
        """All that lies on storage."""
        return files_below(self.folder)

    def rss_mb(self) -> float:
        """The memory of the process that answers."""
        (worker,) = psutil.Process(self._process.pid).children()
        return worker.memory_info().rss / 2**20

    def connect(self) -> socket.socket:
        """A bare connection, for what no decent client does."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health/live", timeout=2).is_success
        except httpx.TransportError:
            return False
