"""Real engines live: in our service beside a bare server, and how much later than alone they say their finals."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import psutil

from app.audio.sound import RATE_HZ
from benchmarks.live.bears import Server, Trials, borne
from benchmarks.live.load import Run, service_processes, spread, stream_url, talked, wait_for_slots
from benchmarks.report import row
from benchmarks.service import ROOT, Service, running

MOST_STREAMS = 256
WARM_S = 3.0
SAME_FINAL_S = 0.15
FINAL_RUNS = 3
"""One alone would be late, or seem so, whenever the machine just did something else."""


@contextmanager
def live_service(weights_dir: Path) -> Iterator[Service]:
    """Our service, with a child a core; it turns nobody away: asked is what it bears, not what it thinks it does."""
    room = {"API_PROCESSES": "1", "CONCURRENCY": "2", "STREAM_SLOTS": str(MOST_STREAMS)}
    with running(**room, WEIGHTS_DIR=str(weights_dir), DEFAULT_ENGINE="pocketsphinx", LOG_LEVEL="WARNING") as service:
        wait_for_slots(service)
        yield service


HEAD = (
    "engine",
    "server",
    "streams borne",
    "a core",
    "partials p50 / p99",
    "finals p50 / p99",
    "`stop` → `completed` p50 / p99",
    "processor time of a stream-second, then",
    "with two",
)


def beside_a_bare_server(service: Service, engine: str, sound: Path, weights_dir: Path) -> None:
    """The streams that our service bears with this engine, and those that a bare server does."""
    with bare_server(engine, weights_dir) as (bare_url, process):
        servers = [
            Server("ours", _url(service, engine), service_processes(service)),
            Server("bare", bare_url, [process]),
        ]
        ours, bare = borne(servers, sound, MOST_STREAMS)
    for trials in (ours, bare):
        _tell(engine, trials)
    share = f"{ours.search.borne / bare.search.borne:.2f}" if bare.search.borne else "it bears none"
    print(f"| {engine} | ours ÷ bare | {share} (≥ 0.95) |{' |' * (len(HEAD) - 3)}", flush=True)


def _tell(engine: str, trials: Trials) -> None:
    n, run, two = trials.search.borne, trials.best, trials.two
    cells = [engine, trials.server.name, str(n), f"{n / len(os.sched_getaffinity(0)):.1f}"]
    cells += [spread(times_ms) for times_ms in ((run.partials_ms, run.finals_ms, run.ends_ms) if run else ([], [], []))]
    cells += [_cost(run) if run else "", _cost(two)]
    print(f"| {' | '.join(cells)} |", flush=True)


def _cost(run: Run) -> str:
    """Processor time, and how it is shared out where there are parts."""
    parts = {part: ms for part, ms in run.parts_ms.items() if len(run.parts_ms) > 1}
    told = ", ".join(f"{part} {ms:.1f}" for part, ms in sorted(parts.items()))
    return f"{1000 / run.streams_per_core:.1f} ms" + (f": {told}" if told else "")


def later_than_alone(service: Service, engine: str, sound: Path, weights_dir: Path, seconds: float) -> None:
    """End of an utterance → its final, less the engine's own time and the silence that it waits for.

    Both say the same finals some times, by turns: of each final the medians are compared, and the latest is told too.
    """
    talked(_url(service, engine), sound, 2, WARM_S, [])
    alone, ours = Finals(), Finals()
    for _ in range(FINAL_RUNS):
        alone.add(reference(engine, sound, weights_dir, seconds))
        run = talked(_url(service, engine), sound, 1, seconds, service_processes(service), warm_s=0.0)
        ours.add(list(zip(run.final_ends_s, run.finals_ms, strict=True)))
    pairs = [(ms, least_ms) for end_s, ms in ours.all() if (least_ms := alone.median_ms(end_s)) is not None]
    medians = [(ms, least_ms) for end_s, ms in ours.medians() if (least_ms := alone.median_ms(end_s)) is not None]
    name = f"{engine}: end of an utterance → its final"
    row(f"{name}, {len(medians)} finals, each {FINAL_RUNS} times", spread([ms for ms, _ in medians]))
    row(f"{name}, the engine alone and its silence", spread([least_ms for _, least_ms in medians]))
    row(f"{name}, ours", spread([ms - least_ms for ms, least_ms in medians]), "≤ 100")
    row(f"{name}, ours, the latest of all", f"{max(ms - least_ms for ms, least_ms in pairs):.0f} ms")
    n_others = len(list(alone.medians())) - len(medians)
    if n_others:
        row(f"{name}, finals that are not those of the engine alone", str(n_others), "0")


class Finals:
    """How late the same finals were in some runs, by where they end in the sound."""

    def __init__(self) -> None:
        self._delays_ms: dict[float, list[float]] = {}

    def add(self, run: Sequence[tuple[float, float]]) -> None:
        """One run: end (s), delay (ms)."""
        for end_s, ms in run:
            self._delays_ms.setdefault(self._known(end_s) or end_s, []).append(ms)

    def all(self) -> Iterator[tuple[float, float]]:
        """End and delay of each final of each run."""
        yield from ((end_s, ms) for end_s, delays_ms in self._delays_ms.items() for ms in delays_ms)

    def medians(self) -> Iterator[tuple[float, float]]:
        """End and usual delay of each final."""
        yield from ((end_s, median(delays_ms)) for end_s, delays_ms in self._delays_ms.items())

    def median_ms(self, end_s: float) -> float | None:
        """The usual delay of the final that ends here."""
        known = self._known(end_s)
        return None if known is None else median(self._delays_ms[known])

    def _known(self, end_s: float) -> float | None:
        return next((known for known in self._delays_ms if abs(known - end_s) < SAME_FINAL_S), None)


def reference(engine: str, sound: Path, weights_dir: Path, seconds: float) -> list[tuple[float, float]]:
    """What `benchmarks.live.reference` prints."""
    command = [sys.executable, "-m", "benchmarks.live.reference", engine, str(sound), str(seconds)]
    environ = {**os.environ, "WEIGHTS_DIR": str(weights_dir)}
    told = subprocess.run(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, check=True).stdout
    return [(end_s, ms) for end_s, ms in json.loads(told.splitlines()[-1])]


def _url(service: Service, engine: str) -> str:
    return f"{stream_url(service, engine, RATE_HZ)}&language=en"


@contextmanager
def bare_server(engine: str, weights_dir: Path) -> Iterator[tuple[str, psutil.Process]]:
    """The bare server with this engine: where clients speak, and its process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environ = {**os.environ, "WEIGHTS_DIR": str(weights_dir)}
    command = [sys.executable, "-m", "benchmarks.live.bare", engine, str(port)]
    with subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            yield f"ws://127.0.0.1:{port}", psutil.Process(process.pid)
        finally:
            process.kill()
