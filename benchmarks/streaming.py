"""Live sessions: our own share of the delay, streams a core beside a bare server, and memory over hours.

Clients run in processes of their own on the same cores and send 100 ms of sound every 100 ms. `share`, `many` and
`hours` use a scripted engine that costs nearly nothing (`tests/plugins`), so that what is measured is ours; `bears`
finds the most streams that our service bears with real engines on tiny weights, and the most that a bare one-process
server does (`benchmarks.live.bare`); `final` compares when we say a final with when the engine alone would
(`benchmarks.live.reference`).
"""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from app.audio.sound import RATE_HZ
from benchmarks.live.engines import HEAD, beside_a_bare_server, later_than_alone, live_service
from benchmarks.live.load import (
    USUALLY_OPENED_PER_S,
    memory,
    service_processes,
    spread,
    stream_url,
    talked,
    wait_for_slots,
    write_wav,
)
from benchmarks.live.tiny_weights import ENGINES, lay_out
from benchmarks.report import heading, row
from benchmarks.service import ROOT, Service, running

PLUGINS = ROOT / "tests" / "plugins"
SCRIPTED = {"PYTHONPATH": f"{PLUGINS}:{ROOT}", "DEFAULT_ENGINE": "scripted", "LOG_LEVEL": "WARNING"}
MANY_OPENED_PER_S = 5.0
"""400 people do not begin within ten seconds; what an opening takes would be all that is measured."""
MIB = 1024 * 1024


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measures", default="share,many,bears,final,hours")
    parser.add_argument("--engines", default=",".join(ENGINES), help="for `bears` and `final`")
    parser.add_argument("--engine-seconds", type=float, default=12.0, help="half of how long the run of `final` takes")
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
            own_share(tone, 100, asked.seconds, opened_per_s=USUALLY_OPENED_PER_S, target="p50 ≤ 10, p99 ≤ 60")
        if "many" in measures:
            own_share(tone, 400, asked.seconds, opened_per_s=MANY_OPENED_PER_S, target="none behind, p99 ≤ 250")
        if "hours" in measures:
            hours(tone, asked.hours)
        if {"bears", "final"} & set(measures):
            real_engines(asked, measures, Path(folder))


def real_engines(asked: argparse.Namespace, measures: list[str], folder: Path) -> None:
    """What is measured with real engines, in one service that has weights for all."""
    weights_dir = folder / "weights"
    sounds = lay_out(asked.engines.split(","), weights_dir, folder)
    with live_service(weights_dir) as service:
        if "bears" in measures:
            print(f"| {' | '.join(HEAD)} |")
            print("|---" * len(HEAD) + "|")
            for engine, sound in sounds.items():
                beside_a_bare_server(service, engine, sound, weights_dir)
        if "final" in measures:
            for engine, sound in sounds.items():
                later_than_alone(service, engine, sound, weights_dir, 2 * asked.engine_seconds)


def own_share(tone: Path, n_streams: int, seconds: float, *, opened_per_s: float, target: str) -> None:
    """Chunk → event with an engine that costs nearly nothing, for so long after the last stream was opened."""
    settings = {**SCRIPTED, "API_PROCESSES": "1", "CONCURRENCY": "1", "STREAM_SLOTS": str(n_streams + 1)}
    talk_s = seconds + n_streams / opened_per_s
    with running(**settings) as service:
        wait_for_slots(service)
        url, processes = stream_url(service, "scripted", RATE_HZ), service_processes(service)
        run = talked(url, tone, n_streams, talk_s, processes, opened_per_s=opened_per_s)
    row(f"{n_streams} streams: chunk → event", spread(run.partials_ms), target)
    row(f"{n_streams} streams: refused, behind by over 1 s", f"{run.n_refused}, {run.behind}", "0, 0")
    row(f"{n_streams} streams: processor time a stream-second", f"{1000 * run.cpu_s / max(run.sent_s, 1):.1f} ms")
    for part, ms in sorted(run.parts_ms.items()):
        row(f"{n_streams} streams: of which {part}", f"{ms:.1f} ms")


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


def write_bursts(path: Path) -> None:
    """A minute of sound that the scripted engine hears a word in every 100 ms of, with pauses that end utterances."""
    import numpy as np

    at = np.arange(RATE_HZ * 60) / RATE_HZ
    speaks = ((at % 5.0) < 3.9) & ((at % 0.1) < 0.06)  # 39 words: it ends an utterance by itself at 40
    sound = (0.3 * np.sin(2 * np.pi * 440 * at) * speaks * 32767).astype("<i2")
    write_wav(path, sound.tobytes())


if __name__ == "__main__":
    main()
