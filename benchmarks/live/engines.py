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
from benchmarks.live.load import Run, service_processes, spread, stream_url, talked, wait_for_slots
from benchmarks.report import row
from benchmarks.service import ROOT, Service, running

TO_SPARE = 2
"""Streams that leave room to spare."""

FULL = 0.8
"""Share of the cores that "full" is to take; the clients are on them, too."""

MOST_STREAMS = 24
WARM_S = 3.0
SAME_FINAL_S = 0.15
FINAL_RUNS = 3
"""One alone would be late, or seem so, whenever the machine just did something else."""


@contextmanager
def live_service(weights_dir: Path) -> Iterator[Service]:
    """Our service, with a child a core and room for every stream."""
    room = {"API_PROCESSES": "1", "CONCURRENCY": "2", "STREAM_SLOTS": str(MOST_STREAMS)}
    with running(**room, WEIGHTS_DIR=str(weights_dir), DEFAULT_ENGINE="pocketsphinx", LOG_LEVEL="WARNING") as service:
        wait_for_slots(service)
        yield service


def beside_a_bare_server(
    service: Service, engine: str, sound: Path, weights_dir: Path, n_full: int | None, seconds: float
) -> None:
    """The same engine behind our service and behind a bare server: with two streams, and with as many as fit."""
    url = _url(service, engine)
    talked(url, sound, 2, WARM_S, [])
    ours = [talked(url, sound, TO_SPARE, seconds, service_processes(service))]
    n_full = n_full or _as_many_as_fit(ours[0])
    ours.append(talked(url, sound, n_full, seconds, service_processes(service)))
    with bare_server(engine, weights_dir) as (bare_url, process):
        talked(bare_url, sound, 2, WARM_S, [])
        bare = [talked(bare_url, sound, n, seconds, [process]) for n in (TO_SPARE, n_full)]
    for n, our, its in zip((TO_SPARE, n_full), ours, bare, strict=True):
        _tell(engine, n, our, its)


def _as_many_as_fit(run: Run) -> int:
    fit = int(FULL * len(os.sched_getaffinity(0)) * run.streams_per_core)
    return max(TO_SPARE + 1, min(MOST_STREAMS, fit))


def _tell(engine: str, n_streams: int, ours: Run, bare: Run) -> None:
    for name, run in (("ours", ours), ("bare", bare)):
        cells = [engine, name, str(n_streams), spread(run.partials_ms), spread(run.finals_ms)]
        lost = f" ({run.n_refused} refused)" if run.n_refused else ""
        print(f"| {' | '.join(cells)} | {run.streams_per_core:.1f}{lost} |", flush=True)
    share = f"{ours.streams_per_core / bare.streams_per_core:.2f}" if bare.sent_s else "none of its streams ended"
    print(f"| {engine} | ours ÷ bare | {n_streams} | | | {share} (≥ 0.95) |", flush=True)


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
