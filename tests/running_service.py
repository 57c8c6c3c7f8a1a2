"""Starts the whole service as people do, in a var dir and on a port of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

ROOT = Path(__file__).parents[1]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def up_environ(var_dir: Path, port: int, **settings: str) -> dict[str, str]:
    inherited = {key: value for key, value in os.environ.items() if key not in {"DATABASE_URL", "REDIS_URL"}}
    return inherited | {"VAR_DIR": str(var_dir), "PORT": str(port), "API_PROCESSES": "1"} | settings


def refused(var_dir: Path, port: int, **settings: str) -> str:
    """Run `up` where it cannot start; what it said, after it ended by itself with an error."""
    ended = subprocess.run(
        [sys.executable, "-m", "app", "up"],
        cwd=ROOT,
        env=up_environ(var_dir, port, **settings),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 1
    return ended.stderr


@dataclass
class RunningService:
    """A launcher and all that it started."""

    var_dir: Path
    port: int

    def start(self) -> "RunningService":
        self.log = (self.var_dir.parent / f"{self.var_dir.name}.log").open("ab")
        self.launcher = subprocess.Popen(
            [sys.executable, "-m", "app", "up"],
            cwd=ROOT,
            env=up_environ(self.var_dir, self.port),
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )
        self._wait_until_ready()
        return self

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def is_live(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health/live", timeout=2).is_success
        except httpx.TransportError:
            return False

    def processes(self) -> list[psutil.Process]:
        """The launcher's descendants, all generations."""
        return psutil.Process(self.launcher.pid).children(recursive=True)

    def process(self, name: str) -> psutil.Process:
        """What the launcher runs under this name now (`api`, `redis`, …)."""
        noted = json.loads((self.var_dir / "run" / f"{name}.pid").read_text())
        return psutil.Process(noted["pid"])

    def stop(self, number: int = signal.SIGTERM, timeout_s: float = 10) -> int:
        self.launcher.send_signal(number)
        return self.launcher.wait(timeout=timeout_s)

    def told(self) -> str:
        return Path(self.log.name).read_text()

    def end(self) -> None:
        if self.launcher.poll() is None:
            self.stop(timeout_s=60)
        self.launcher.stdout.close()
        self.log.close()

    def _wait_until_ready(self) -> None:
        for line in self.launcher.stdout:
            if "ready" in line:
                return
        raise AssertionError(f"it ended before it was ready:\n{self.told()}")
