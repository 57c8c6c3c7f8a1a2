"""Live sessions: our own share of the delay, streams a core beside a bare server, and memory over hours.

Clients run in processes of their own on the same cores and send 100 ms of sound every 100 ms. Three of the tables use
a scripted engine that costs nearly nothing (`tests/plugins`), so that what is measured is ours; the fourth runs real
engines in our service and in a bare one-process server (`benchmarks.live.bare`), one after the other.
"""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import wave
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from app.audio.sound import RATE_HZ
from app.cli.listening.sources import recording
from benchmarks.report import heading, percentile, row
from benchmarks.service import ROOT, Service, running

PLUGINS = ROOT / "tests" / "plugins"
SCRIPTED = {"PYTHONPATH": f"{PLUGINS}:{ROOT}", "DEFAULT_ENGINE": "scripted", "LOG_LEVEL": "WARNING"}
DEMO = ROOT / "assets" / "demo" / "telephone.wav"
"""Speech; resampled to 16 kHz."""
MIB = 1024 * 1024


@dataclass(frozen=True)
class Run:
    """What the clients of one run have measured, and the processor time of the server meanwhile."""

    partials_ms: list[float]
    finals_ms: list[float]
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


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measures", default="share,many,engines,hours")
    parser.add_argument("--engines", default="pocketsphinx", help="for `engines`; their weights must be in WEIGHTS_DIR")
    parser.add_argument("--sound", type=Path, default=DEMO, help="any recording of speech, for `engines`")
    parser.add_argument("--streams", type=int, default=4, help="for `engines`")
    parser.add_argument("--hours", type=float, default=4.0)
    parser.add_argument("--seconds", type=float, default=30.0)
    asked = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit("stopped"))
    measures = asked.measures.split(",")
    heading("Live sessions")
    with tempfile.TemporaryDirectory(prefix="parloir-bench-") as folder:
        tone = Path(folder) / "tone.wav"
        write_bursts(tone)
        if "share" in measures:
            own_share(tone, 100, asked.seconds, n_children=1, target="p50 ≤ 10, p99 ≤ 60")
        if "many" in measures:
            own_share(tone, 400, asked.seconds, n_children=1, target="none behind, p99 ≤ 250")
        if "hours" in measures:
            hours(tone, asked.hours)
        if "engines" in measures:
            speech = Path(folder) / "speech.wav"
            write_wav(speech, b"".join(recording(asked.sound, is_paced=False)))
            print("| engine | server | streams | partials p50 / p99 | finals p50 / p99 | streams a core |")
            print("|---" * 6 + "|")
            for engine in asked.engines.split(","):
                beside_a_bare_server(engine, speech, asked.streams, asked.seconds)


def own_share(tone: Path, n_streams: int, seconds: float, *, n_children: int, target: str) -> None:
    """Chunk → event with an engine that costs nearly nothing."""
    settings = {**SCRIPTED, "API_PROCESSES": "1", "CONCURRENCY": str(n_children), "STREAM_SLOTS": str(n_streams + 1)}
    with running(**settings) as service:
        wait_for_slots(service)
        run = talked(stream_url(service, "scripted", RATE_HZ), tone, n_streams, seconds, service_processes(service))
    row(f"{n_streams} streams: chunk → event", _spread(run.partials_ms), target)
    row(f"{n_streams} streams: refused, behind by over 1 s", f"{run.n_refused}, {run.behind}", "0, 0")
    row(f"{n_streams} streams: processor time a stream-second", f"{1000 * run.cpu_s / max(run.sent_s, 1):.1f} ms")
    for part, ms in sorted(run.parts_ms.items()):
        row(f"{n_streams} streams: of which {part}", f"{ms:.1f} ms")


def beside_a_bare_server(engine: str, sound: Path, n_streams: int, seconds: float) -> None:
    """The same engine behind our service and behind a bare server."""
    settings = {"DEFAULT_ENGINE": engine, "API_PROCESSES": "1", "CONCURRENCY": "2", "STREAM_SLOTS": "16"}
    with running(**settings, LOG_LEVEL="WARNING") as service:
        wait_for_slots(service)
        url = stream_url(service, engine, RATE_HZ)
        talked(url, sound, 2, 3, [])
        ours = talked(url, sound, n_streams, seconds, service_processes(service))
    with bare_server(engine) as (url, process):
        talked(url, sound, 2, 3, [])
        bare = talked(url, sound, n_streams, seconds, [process])
    for name, run in (("ours", ours), ("bare", bare)):
        cells = [engine, name, str(n_streams), _spread(run.partials_ms), _spread(run.finals_ms)]
        print(f"| {' | '.join(cells)} | {run.streams_per_core:.1f} |")
    print(f"| {engine} | ours ÷ bare | | | | {ours.streams_per_core / bare.streams_per_core:.2f} (≥ 0.95) |")
    if ours.finals_ms and bare.finals_ms:
        later = percentile(ours.finals_ms, 0.5) - percentile(bare.finals_ms, 0.5)
        row(f"{engine}: final later than the bare server's", f"{later:.0f} ms", "≤ 100")


def hours(tone: Path, n_hours: float) -> None:
    """One session, sent as fast as it is taken: memory after the first minute, on the way and at the end."""
    settings = {**SCRIPTED, "API_PROCESSES": "1", "CONCURRENCY": "1", "STREAM_SLOTS": "2"}
    with running(**settings) as service:
        wait_for_slots(service)
        command = [sys.executable, "-m", "benchmarks.live.marathon", stream_url(service, "scripted", RATE_HZ)]
        command += ["--sound", str(tone), "--seconds", str(n_hours * 3600)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as talker:
            assert talker.stdout is not None
            began_s = time.monotonic()
            for line in talker.stdout:
                told = json.loads(line)
                if "minute" in told:
                    before = memory(service)
                elif "sound_s" in told:
                    _tell_way(told["sound_s"], time.monotonic() - began_s, _grown(before, service))
            row(f"{n_hours:g} h of sound sent and heard in", f"{time.monotonic() - began_s:.0f} s")
        if talker.returncode:
            raise SystemExit("the talker failed")
        for name, grown in _grown(before, service).items():
            row(f"{name}: memory after {n_hours:g} h, less that after a minute", f"{grown:+.1f} MB", "≤ 10")
    row("length told less length sent", f"{told['drift_samples']} samples", "0")


def _grown(before: dict[str, int], service: Service) -> dict[str, float]:
    """By how many MB each part has grown."""
    return {name: (rss - before[name]) / MIB for name, rss in memory(service).items()}


def _tell_way(sound_s: int, took_s: float, grown: dict[str, float]) -> None:
    """Progress, for whoever waits; the table has the end."""
    memories = ", ".join(f"{name} {mb:+.1f} MB" for name, mb in grown.items())
    print(f"{sound_s / 60:.0f} min of sound in {took_s:.0f} s: {memories}", file=sys.stderr, flush=True)


def memory(service: Service) -> dict[str, int]:
    """Resident bytes of the API's and the streaming worker's processes, by name."""
    held: dict[str, int] = defaultdict(int)
    for process in service_processes(service):
        held[part_of(process)] += process.memory_info().rss
    return {part: held[part] for part in ("API", "worker", "child")}


def talked(url: str, sound: Path, n: int, seconds: float, processes: list[psutil.Process]) -> Run:
    """Run the clients, in two processes when there are many; add up what they heard."""
    n_talkers = 2 if n > 100 else 1
    before = cpu_by_part(processes)
    with tempfile.TemporaryDirectory() as folder:
        outs = [Path(folder) / f"{index}.json" for index in range(n_talkers)]
        talkers = [subprocess.Popen(_talker(url, sound, n // n_talkers, seconds, out), cwd=ROOT) for out in outs]
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
        n_refused=sum(one["n_refused"] for one in heard),
        behind=sum(one["behind"] for one in heard),
        cpu_s=max(sum(spent.values()), 1e-9),
        sent_s=sent_s,
        parts_ms={part: 1000 * cpu / max(sent_s, 1) for part, cpu in spent.items()},
    )


def _talker(url: str, sound: Path, n: int, seconds: float, out: Path) -> list[str]:
    asked = ["--sound", str(sound), "--clients", str(n), "--seconds", str(seconds), "--json", str(out)]
    return [sys.executable, "-m", "benchmarks.live.talker", url, *asked, "--warm", str(min(5.0, seconds / 2))]


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


@contextmanager
def bare_server(engine: str) -> Iterator[tuple[str, psutil.Process]]:
    """The bare server with this engine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environ = {"WEIGHTS_DIR": str(ROOT / "var" / "weights"), **os.environ}
    command = [sys.executable, "-m", "benchmarks.live.bare", engine, str(port)]
    with subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            yield f"ws://127.0.0.1:{port}", psutil.Process(process.pid)
        finally:
            process.kill()


def write_bursts(path: Path) -> None:
    """A minute of sound that the scripted engine hears a word in every 100 ms of, with pauses that end utterances."""
    import numpy as np

    at = np.arange(RATE_HZ * 60) / RATE_HZ
    speaks = ((at % 5.0) < 3.9) & ((at % 0.1) < 0.06)  # 39 words: it ends an utterance by itself at 40
    sound = (0.3 * np.sin(2 * np.pi * 440 * at) * speaks * 32767).astype("<i2")
    write_wav(path, sound.tobytes())


def write_wav(path: Path, sound: bytes) -> None:
    """Write s16le mono at 16 kHz."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(sound)


def _spread(values_ms: list[float]) -> str:
    if not values_ms:
        return "nothing heard"
    return f"{percentile(values_ms, 0.5):.1f} / {percentile(values_ms, 0.99):.1f} ms"


if __name__ == "__main__":
    main()
