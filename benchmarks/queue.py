"""Our queue beside its peers: same Redis, same PostgreSQL, and each job leaves a committed row.

Peers run in virtual environments of their own under `build/queue-peers`, made at the first run (that needs the
network). Ours is the real worker with its real child process; only the engine is a stand-in that answers at once, so
that the row's states, the transcript's row and the events are all in the figures. A peer's task commits one row when
it starts; only procrastinate also commits one when the job is put in, as ours does. The time from enqueue to start
is from before the producer's call to the first line of the task.
"""

import argparse
import json
import os
import signal
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

from benchmarks.queue_peers.contestants import OURS, PEERS, Contestant
from benchmarks.queue_peers.stage import Stage, staged
from benchmarks.report import heading, percentile

FAILOVER_S = 60.0


@dataclass
class Figures:
    """What was measured of one contestant in one setting."""

    name: str
    setting: str
    latency_ms: list[tuple[float, float]] = field(default_factory=list)
    promised_ms: list[tuple[float, float]] = field(default_factory=list)
    jobs_per_s: list[float] = field(default_factory=list)
    recovery_s: float | None = None
    redeliveries: int | None = None
    cpu_percent: float | None = None
    queries_per_s: float | None = None
    commands_per_s: float | None = None


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="names, comma between")
    parser.add_argument("--measures", default="latency,throughput,recovery,idle")
    parser.add_argument("--rounds", type=int, default=3, help="of latency and throughput; the median is shown")
    parser.add_argument("--jobs", type=int, default=2000)
    parser.add_argument("--long", action="store_true", help="also the 90 s job that holds the GIL")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    asked = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit("stopped"))
    names = asked.only.lower().split(",") if asked.only else None
    chosen = [one for one in (OURS, *PEERS) if names is None or one.name.lower() in names]
    measures = [*asked.measures.split(","), *(["long"] if asked.long else [])]
    found = {(one.name, s): Figures(one.name, s) for one in chosen for s in ("default", "tuned")}
    with staged(chosen) as stage:
        for turn in range(asked.rounds):
            for one in chosen:
                for setting in ("default", "tuned"):
                    measure(stage, one, found[one.name, setting], measures, asked.jobs, is_first=turn == 0)
    heading("The queue beside its peers")
    print(table(list(found.values()), {one.name: one.redelivery for one in chosen}))
    if asked.json:
        asked.json.write_text(json.dumps([asdict(figures) for figures in found.values()], indent=1))


def measure(stage: Stage, one: Contestant, to: Figures, measures: list[str], n_jobs: int, *, is_first: bool) -> None:
    """One round; what takes long, and does not vary, is measured in the first one and as the contestant comes."""
    tuned = to.setting == "tuned"
    print(f"… {one.name}, {to.setting}, load {os.getloadavg()[0]:.1f}", flush=True)
    if "latency" in measures:
        measure_latency(stage, one, to, tuned=tuned)
    if "throughput" in measures:
        to.jobs_per_s.append(jobs_per_s(stage, one, n_jobs, tuned=tuned))
        print(f"  {to.jobs_per_s[-1]:.0f} jobs/s", flush=True)
    if tuned or not is_first:
        return
    if "idle" in measures:
        to.cpu_percent, to.queries_per_s, to.commands_per_s = idle(stage, one)
        print(f"  idle {to.cpu_percent:.2f} %, {to.queries_per_s:.1f}/s, {to.commands_per_s:.1f}/s", flush=True)
    if "recovery" in measures:
        to.recovery_s = recovery_s(stage, one)
        print(f"  recovery {to.recovery_s} s", flush=True)
    if "long" in measures:
        to.redeliveries = redeliveries(stage, one)
        print(f"  redeliveries {to.redeliveries}", flush=True)


def measure_latency(stage: Stage, one: Contestant, to: Figures, *, tuned: bool) -> None:
    """As the queue is, and, where its enqueue commits nothing, with a row that the producer commits first."""
    to.latency_ms.append(latencies_ms(stage, one, tuned=tuned, promised=False))
    to.promised_ms.append(to.latency_ms[-1] if one.commits_first else (0, 0))
    if not one.commits_first:
        to.promised_ms[-1] = latencies_ms(stage, one, tuned=tuned, promised=True)
    (p50, p99), (promised50, promised99) = to.latency_ms[-1], to.promised_ms[-1]
    print(f"  latency {p50:.2f} / {p99:.2f} ms, promised {promised50:.2f} / {promised99:.2f} ms", flush=True)


def latencies_ms(stage: Stage, one: Contestant, *, tuned: bool, promised: bool, n: int = 200) -> tuple[float, float]:
    """From enqueue to start, p50 and p99, each job alone; the first, which find a worker just started, do not count."""
    stage.clean()
    with stage.worker(one, tuned=tuned):
        stage.settle(one)
        stage.produce(one, n + 10, pause_s=0.05, promised=promised)
    waits_ms = [1000 * wait for wait in stage.waits_s(one)][-n:]
    return percentile(waits_ms, 0.5), percentile(waits_ms, 0.99)


def jobs_per_s(stage: Stage, one: Contestant, n: int, *, tuned: bool) -> float:
    """Starts a second once a tenth has started: n jobs wait before there is a worker."""
    stage.clean()
    stage.produce(one, n)
    with stage.worker(one, tuned=tuned):
        if not stage.wait_for(one.table, n, within_s=30):
            print(f"  only {stage.count(one.table)} of {n} jobs came to their end in 30 s", flush=True)
    starts_s = stage.starts_s(one)
    first = len(starts_s) // 10
    return (len(starts_s) - first) / (starts_s[-1] - starts_s[first])


def recovery_s(stage: Stage, one: Contestant) -> float | None:
    """From kill -9 of the worker and all its processes, with another started at once, to the job's next start."""
    stage.clean()
    with stage.worker(one, tuned=False) as worker:
        stage.settle(one)
        stage.produce(one, 1, kind="hold", seconds=20)
        stage.wait_for("bench_jobs", 1, within_s=10)
        killed_at_s = worker.kill()
        with stage.worker(one, tuned=False):
            again = stage.wait_for("bench_jobs", 2, within_s=FAILOVER_S)
            return stage.starts_s(one, "bench_jobs")[-1] - killed_at_s if again else None


def redeliveries(stage: Stage, one: Contestant, seconds: float = 90) -> int:
    """How often a job that holds the GIL is started again while it still runs; a second worker stands by."""
    stage.clean()
    with stage.worker(one, tuned=False), stage.worker(one, tuned=False):
        stage.settle(one)
        stage.produce(one, 1, kind="spin", seconds=seconds)
        stage.wait_for("bench_jobs", 2, within_s=seconds + 5)
        return stage.count("bench_jobs") - 1


def idle(stage: Stage, one: Contestant, seconds: float = 30) -> tuple[float, float, float]:
    """Share of a core (in percent), queries to PostgreSQL and Redis commands a second, of a worker without jobs."""
    stage.clean()
    with stage.worker(one, tuned=False) as worker:
        stage.settle(one)
        return stage.watch(worker, seconds)


def table(found: list[Figures], promised: dict[str, str]) -> str:
    """All of it as Markdown."""
    titles = (
        "queue",
        "setting",
        "enqueue → start p50 / p99",
        "the same, a row committed first",
        "no-op jobs/s",
        "after kill -9",
        "idle CPU",
        "idle PostgreSQL",
        "idle Redis",
        "false redeliveries",
    )
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    return "\n".join([*lines, *(_line(figures, promised[figures.name]) for figures in found)])


def _line(of: Figures, promised: str) -> str:
    recovered = f"{of.recovery_s:.1f} s" if of.recovery_s is not None else f"> {FAILOVER_S:.0f} s ({promised})"
    cells = [
        of.name,
        of.setting,
        _medians(of.latency_ms),
        _medians(of.promised_ms),
        f"{median(of.jobs_per_s):.0f}" if of.jobs_per_s else "",
        recovered if of.cpu_percent is not None else "",
        _shown(of.cpu_percent, "{:.1f} %"),
        _shown(of.queries_per_s, "{:.1f} queries/s"),
        _shown(of.commands_per_s, "{:.1f} cmd/s"),
        _shown(of.redeliveries, "{}"),
    ]
    return f"| {' | '.join(cells)} |"


def _medians(rounds: list[tuple[float, float]]) -> str:
    if not rounds:
        return ""
    return f"{median(p50 for p50, _ in rounds):.1f} / {median(p99 for _, p99 in rounds):.1f} ms"


def _shown(value: float | None, form: str) -> str:
    return "" if value is None else form.format(value)


if __name__ == "__main__":
    main()
