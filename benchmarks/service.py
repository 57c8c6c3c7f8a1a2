"""The whole service, started for a measurement in a folder of its own, and talked to over HTTP as anyone would."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Service:
    """A running service; `client` speaks to it, `log` holds what all its processes have said (JSON lines)."""

    url: str
    client: httpx.Client
    process: subprocess.Popen[bytes]
    log: Path

    def submit(self, recording: Path, **fields: str) -> str:
        """createJob; returns the job's id."""
        with recording.open("rb") as file:
            answer = self.client.post(
                "/api/batchTranscription/createJob", files={"audioFile": (recording.name, file)}, data=fields
            )
        answer.raise_for_status()
        return str(answer.json()["data"]["job_uuid"])

    def result(self, job_id: str) -> dict[str, Any]:
        """The result once the job has ended."""
        while True:
            answer = self.client.get("/api/batchTranscription/result", params={"job_uuid": job_id}).json()["data"]
            if answer["status"] in {"COMPLETED", "FAILED", "CANCELLED"}:
                return dict(answer)
            time.sleep(0.1)

    def logged(self, event: str) -> dict[str, dict[str, Any]]:
        """Log lines of one event, by job id."""
        lines = (json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{"))
        return {line["job_id"]: line for line in lines if line.get("event") == event and "job_id" in line}

    def processes(self, named: str) -> list[psutil.Process]:
        """Processes of the service whose command line holds `named`."""
        family = psutil.Process(self.process.pid).children(recursive=True)
        return [one for one in family if named in " ".join(one.cmdline())]


@contextmanager
def running(**settings: str) -> Iterator[Service]:
    """Start the service with these settings, wait until it answers, end it afterwards."""
    with tempfile.TemporaryDirectory(prefix="parloir-bench-") as folder:
        os.chmod(folder, 0o755)  # noqa: PTH101 - PostgreSQL may run as another user
        log = Path(folder) / "service.log"
        port = _free_port()
        environ = {**os.environ, "PORT": str(port), "VAR_DIR": f"{folder}/var", "LOG_FORMAT": "json", **settings}
        with log.open("wb") as out:
            up = [sys.executable, "-m", "app", "up"]
            process = subprocess.Popen(up, cwd=ROOT, env=environ, stdout=out, stderr=out)
        url = f"http://127.0.0.1:{port}"
        try:
            with httpx.Client(base_url=url, timeout=120) as client:
                _wait_until_it_answers(client, process, log)
                yield Service(url, client, process, log)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_it_answers(client: httpx.Client, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise RuntimeError(f"the service ended:\n{log.read_text()}")
        if _has_workers(client):
            return
        time.sleep(0.1)
    raise RuntimeError(f"the service does not answer:\n{log.read_text()}")


def _has_workers(client: httpx.Client) -> bool:
    try:
        health = client.get("/health")
    except httpx.HTTPError:
        return False
    return health.status_code == 200 and bool(health.json().get("workers"))
