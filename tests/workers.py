"""Real worker processes for tests, with the scripted engine plugged in."""

import os
import signal
import subprocess
import sys
import time
import wave
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import psutil

ROOT = Path(__file__).resolve().parent.parent
PLUGINS = ROOT / "tests" / "plugins"
QUICK = {"LEASE_S": "1.5", "BEAT_S": "0.3", "TICK_S": "0.3", "DRAIN_S": "1", "LOG_FORMAT": "console"}


@dataclass
class Site:
    """Where workers run: servers, folders, settings."""

    postgres_url: str
    redis_url: str
    folder: Path
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def heard(self) -> list[str]:
        """The spans that the scripted engine has heard, over all runs."""
        log = self.folder / "heard.log"
        return log.read_text().split() if log.exists() else []

    @property
    def given_s(self) -> float:
        """How much sound the scripted engine was given, over all runs, by its own count."""
        log = self.folder / "given.log"
        return sum(map(float, log.read_text().split())) if log.exists() else 0.0

    def environ(self) -> dict[str, str]:
        return {
            **os.environ,
            **QUICK,
            "DATABASE_URL": self.postgres_url,
            "REDIS_URL": self.redis_url,
            "VAR_DIR": str(self.folder),
            "PYTHONPATH": f"{PLUGINS}:{ROOT}",
            "SCRIPTED_LOG": str(self.folder / "heard.log"),
            "SCRIPTED_GIVEN": str(self.folder / "given.log"),
            "SCRIPTED_DIARIZER_LOG": str(self.folder / "diarized.log"),
            "DEFAULT_ENGINE": "scripted",
            "DEFAULT_DIARIZER": "scripted",
            **self.settings,
        }

    def store(self, recording: Path) -> str:
        """Put a recording on storage; returns its key."""
        key = uuid4().hex
        kept = self.folder / "audio" / key[:2] / key
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(recording.read_bytes())
        return key

    @contextmanager
    def worker(
        self, *arguments: str, mode: str = "batch", program: Sequence[str] = ("run_worker.py",)
    ) -> Iterator[subprocess.Popen[bytes]]:
        """A worker, ended with all it started when the block is left."""
        with (self.folder / f"worker-{uuid4().hex[:6]}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, *program, mode, *arguments], cwd=ROOT, env=self.environ(), stderr=log
            )
            try:
                yield process
            finally:
                family = descendants(process)
                process.kill()
                for child in family:
                    child.kill()
                process.wait()

    def logs(self) -> str:
        """What the workers have said, for a failing test."""
        return "\n".join(path.read_text() for path in self.folder.glob("worker-*.log"))


def descendants(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """All processes that this one has started, directly or not."""
    try:
        return psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def children_of(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """The engine processes of a worker."""
    return [child for child in descendants(process) if "workers.child" in " ".join(child.cmdline())]


def wait_for(condition: Callable[[], object], timeout_s: float = 60.0) -> object:
    """Wait until the condition holds; returns what it gave."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError(f"did not come about within {timeout_s} s")


def stop(process: subprocess.Popen[bytes], timeout_s: float = 20.0) -> int:
    """SIGTERM, and wait for the end."""
    process.send_signal(signal.SIGTERM)
    return process.wait(timeout_s)


def write_speechlike(path: Path, seconds: float, rate_hz: int = 16_000) -> Path:
    """Copy a demo recording over and over until it is so long (mono 16-bit WAV)."""
    import av
    import numpy as np

    source = next(iter(sorted((ROOT / "assets" / "demo").glob("*.flac"))))
    with av.open(str(source)) as container:
        resampler = av.AudioResampler("s16", "mono", rate_hz)
        frames = [out.to_ndarray().reshape(-1) for f in container.decode(audio=0) for out in resampler.resample(f)]
    samples = np.resize(np.concatenate(frames), int(seconds * rate_hz))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(samples.astype("<i2").tobytes())
    return path
