"""Loads of live sessions: the service that bears them, the clients that make them, and what both have taken."""

import json
import subprocess
import sys
import tempfile
import time
import wave
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from app.audio.sound import RATE_HZ
from benchmarks.report import percentile
from benchmarks.service import ROOT, Service

USUALLY_OPENED_PER_S = 19.0


@dataclass(frozen=True)
class Run:
    """What the clients of one run have measured, and the processor time of the server meanwhile."""

    partials_ms: list[float]
    finals_ms: list[float]
    final_ends_s: list[float]
    """The end of each final, in the sound of its client."""
    ends_ms: list[float]
    """For each client, from when its `stop` was due to `completed`."""
    n_refused: int
    behind: int
    cpu_s: float
    sent_s: float
    parts_ms: dict[str, float]
    """Processor time that a second of one stream took, by part of the service."""

    @property
    def streams_per_core(self) -> float:
        """Streams in real time that one core could serve, judged by the processor time spent."""
        return self.sent_s / self.cpu_s


def memory(service: Service) -> dict[str, int]:
    """Resident bytes of the API's and the streaming worker's processes, by name."""
    held: dict[str, int] = defaultdict(int)
    for process in service_processes(service):
        held[part_of(process)] += process.memory_info().rss
    return {part: held[part] for part in ("API", "worker", "child")}


def talked(
    url: str,
    sound: Path,
    n: int,
    seconds: float,
    processes: list[psutil.Process],
    warm_s: float = 5.0,
    opened_per_s: float = USUALLY_OPENED_PER_S,
    *,
    is_spread: bool = False,
) -> Run:
    """Run the clients, in two processes when there are many; add up what they heard once all were there `warm_s`.

    `is_spread`: each begins elsewhere in the sound.
    """
    n_talkers = 2 if n > 100 else 1
    before = cpu_by_part(processes)
    with tempfile.TemporaryDirectory() as folder:
        outs = [Path(folder) / f"{index}.json" for index in range(n_talkers)]
        talkers = [
            subprocess.Popen(
                [
                    *_talker(url, sound, n // n_talkers, seconds, warm_s, out),
                    *("--apart", str(n_talkers / opened_per_s)),
                    *(["--spread"] if is_spread else []),
                ],
                cwd=ROOT,
            )
            for out in outs
        ]
        for talker in talkers:
            if talker.wait():
                raise SystemExit("a talker failed")
        after = cpu_by_part(processes)
        heard: list[dict[str, Any]] = [json.loads(out.read_text()) for out in outs]
    sent_s = sum(one["sent_s"] for one in heard)
    spent = {part: cpu - before.get(part, 0.0) for part, cpu in after.items()}
    return Run(
        partials_ms=[ms for one in heard for ms in one["partials_ms"]],
        finals_ms=[ms for one in heard for ms in one["finals_ms"]],
        final_ends_s=[end_s for one in heard for end_s in one["final_ends_s"]],
        ends_ms=[ms for one in heard for ms in one["ends_ms"]],
        n_refused=sum(one["n_refused"] for one in heard),
        behind=sum(one["behind"] for one in heard),
        cpu_s=max(sum(spent.values()), 1e-9),
        sent_s=sent_s,
        parts_ms={part: 1000 * cpu / max(sent_s, 1) for part, cpu in spent.items()},
    )


def _talker(url: str, sound: Path, n: int, seconds: float, warm_s: float, out: Path) -> list[str]:
    asked = ["--sound", str(sound), "--clients", str(n), "--seconds", str(seconds), "--json", str(out)]
    return [sys.executable, "-m", "benchmarks.live.talker", url, *asked, "--warm", str(min(warm_s, seconds / 2))]


PARTS = {
    "parloir-api": "API",
    "run_api.py": "API",
    "run_worker.py streaming": "worker",
    "workers.streaming": "child",
    "redis": "Redis",
}


def cpu_by_part(processes: list[psutil.Process]) -> dict[str, float]:
    """Processor seconds so far, by part of the service; `others` are PostgreSQL and the other workers."""
    spent: dict[str, float] = defaultdict(float)
    for process in processes:
        spent[part_of(process)] += cpu_s(process)
    return spent


def part_of(process: psutil.Process) -> str:
    """The part that a process is of."""
    try:
        command = " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return "others"
    return next((part for named, part in PARTS.items() if named in command), "others")


def cpu_s(process: psutil.Process) -> float:
    """Processor time of a process and of what it has waited for."""
    try:
        spent = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(spent.user + spent.system)


def service_processes(service: Service) -> list[psutil.Process]:
    """Everything that works for the service, servers too."""
    return list(psutil.Process(service.process.pid).children(recursive=True))


def stream_url(service: Service, engine: str, rate_hz: int) -> str:
    """Where a client speaks."""
    base = service.url.replace("http", "ws", 1)
    return f"{base}/api/streamingTranscription/stream?engine={engine}&sampleRate={rate_hz}"


def wait_for_slots(service: Service) -> None:
    """Until a streaming worker says that it is there."""
    for _ in range(300):
        workers = service.client.get("/health").json().get("workers", {})
        if workers.get("streaming", {}).get("slots"):
            return
        time.sleep(0.2)
    raise SystemExit("no streaming worker came")


def write_wav(path: Path, sound: bytes) -> None:
    """Write s16le mono at 16 kHz."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(sound)


def spread(values_ms: list[float]) -> str:
    if not values_ms:
        return "nothing heard"
    return f"{percentile(values_ms, 0.5):.1f} / {percentile(values_ms, 0.99):.1f} ms"
