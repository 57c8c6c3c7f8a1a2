"""How many streams a server bears: the most that it serves in real time, all at once, found by trying.

Borne is a number of streams of which none is refused and each is told `completed` within `LATE_MS` of the moment at
which its last sound was due, and its `stop` with it: all of its sound was heard by then, and all its words were told,
the last final included. A server that falls behind by a little each second is found out by that, however soon single
words came. All clients speak at once for `TOGETHER_S`, each from another place in the sound on, on the server's cores.
"""

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.live.load import Run, talked

LATE_MS = 1000.0
CLEARLY_LATE_MS = 3 * LATE_MS
"""Later than this is not a noisy moment's fault."""

TOGETHER_S = 9.0
WARM_S = 1.5
OPENED_PER_S = 10.0
"""What a rush of people takes who begin all at once is not what is asked."""

ROUGHLY = 0.04
"""How exactly the number is found."""


@dataclass(frozen=True)
class Server:
    """Where clients of one engine speak, and the processes that serve them."""

    name: str
    url: str
    processes: list[psutil.Process]


@dataclass
class Search:
    """The greatest number that is borne: doubled until one is not, then halved in between."""

    first: int
    most: int
    borne: int = 0
    failed: int = field(init=False)
    n_misses: int = 0

    def __post_init__(self) -> None:
        self.failed = self.most + 1

    @property
    def is_over(self) -> bool:
        """Whether it is known, as exactly as it needs to be."""
        return self.failed - self.borne <= max(1.0, ROUGHLY * self.borne)

    def next(self) -> int:
        """The number to try now."""
        if self.failed <= self.most:
            return (self.borne + self.failed) // 2
        return min(self.most, max(self.first, 2 * self.borne))

    def learn(self, n: int, *, is_borne: bool, is_clear: bool) -> None:
        """What became of a try; a number is only given up when it is clear, or was missed twice."""
        if is_borne:
            self.borne, self.n_misses = n, 0
            return
        self.n_misses += 1
        if is_clear or self.n_misses > 1:
            self.failed, self.n_misses = n, 0


@dataclass
class Trials:
    """One server's search, the run with the most streams that it has borne, and a short one with two."""

    server: Server
    search: Search
    two: Run
    best: Run | None = None

    def step(self, sound: Path) -> None:
        """Try the next number."""
        n = self.search.next()
        run = trial(self.server, sound, n)
        latest_ms = max(run.ends_ms, default=CLEARLY_LATE_MS)
        is_borne = not run.n_refused and latest_ms <= LATE_MS
        self.search.learn(n, is_borne=is_borne, is_clear=run.n_refused > 0 or latest_ms > CLEARLY_LATE_MS)
        if is_borne:
            self.best = run
        self._tell_way(n, run, latest_ms)

    def _tell_way(self, n: int, run: Run, latest_ms: float) -> None:
        """Progress, for whoever waits."""
        told = f"{n} streams, {run.n_refused} refused, ended after {latest_ms:.0f} ms at most"
        print(f"{self.server.name}: {told}, {1000 / run.streams_per_core:.1f} ms", file=sys.stderr, flush=True)


def borne(servers: list[Server], sound: Path, most: int) -> list[Trials]:
    """What each bears, in the order given: they take turns, so that a noisy minute is one for all of them."""
    trials = [_trials(server, sound, most) for server in servers]
    while unknown := [one for one in trials if not one.search.is_over]:
        for one in unknown:
            one.step(sound)
    return trials


def trial(server: Server, sound: Path, n: int) -> Run:
    """So many clients at once."""
    seconds = TOGETHER_S + n / OPENED_PER_S
    return talked(server.url, sound, n, seconds, server.processes, WARM_S, OPENED_PER_S, is_spread=True)


def _trials(server: Server, sound: Path, most: int) -> Trials:
    """Begin with half of what should do, by the processor time of two streams; the first two only warm it up."""
    for seconds in (WARM_S, 2 * WARM_S):
        two = talked(server.url, sound, 2, seconds, server.processes, warm_s=0.0)
    first = int(two.streams_per_core * len(os.sched_getaffinity(0)) / 2)
    return Trials(server, Search(max(1, first), most), two)
