"""Everything at once: clients hand recordings in while whatever can break breaks, in an order that a seed decides.

`make chaos SEED=7 JOBS=500`, or `python -m tests.faults.chaos --help`. The faults and their order come from the seed;
what they hit just then is up to the machine. Clients do what clients should: they send again what was not answered,
with the same Idempotency-Key; those without one do not. With a diarization worker, some jobs are diarizations: their
words are a job of their own on the batch queue, and whichever half ends last brings the end. With streaming workers,
people speak live as well: whatever breaks, they come back and go on (`speakers`), and are told their words once.
"""

import argparse
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial

import psutil

from app.domain.errors import Unavailable
from app.domain.job import Mode
from app.services.media.folder import FolderStorage
from tests.faults.checker import at_rest, broken_promises, broken_rules
from tests.faults.clients import Clients
from tests.faults.estate import NOBODY, Estate, make_estate
from tests.faults.speakers import Speakers
from tests.faults.speech_checker import broken_speeches
from tests.live import stream_children
from tests.workers import children_of, wait_for

LEASE_S = 2.5
PATIENCE_S = 20.0
"""With a client that is gone: shorter than those that vanish are, longer than it takes to start what they wait for."""
SETTINGS = {
    "LEASE_S": str(LEASE_S),
    "STALL_S": "5",
    # Nothing that the machine does to a job may end it: whatever fails here was lost by us.
    "MAX_CRASHES": "1000",
    "MAX_ATTEMPTS": "1000",
    "RETRY_BASE_S": "0.2",
    "STREAM_SLOTS": "20",
    "STREAM_BEAT_S": "0.5",
    "STREAM_LEASE_S": str(LEASE_S),
    "STREAM_STALL_S": "5",
    "STREAM_ABANDONED_S": str(PATIENCE_S),
}
APART_S = (0.3, 1.5)


class Chaos:
    """Breaks things and, like a service manager, starts again what has ended."""

    def __init__(self, estate: Estate, seed: int, modes: Sequence[Mode], tell: Callable[[str], None]) -> None:
        """`modes`: of the workers, one for each."""
        self._estate = estate
        self._chance = random.Random(f"{seed} faults")
        self._tell = tell
        self._stack = ExitStack()
        self._later: list[tuple[float, Callable[[], None]]] = []
        self._frozen: set[int] = set()
        self.counts: Counter[str] = Counter()
        self.apis = [self._stack.enter_context(estate.api(API_PROCESSES="2"))]
        self.apis.append(self._stack.enter_context(estate.api(REDIS_URL=NOBODY)))
        self._modes = modes
        self.workers = [self._new_worker(mode) for mode in modes]
        self.faults: list[Callable[[], None]] = [
            self.worker_killed, self.child_killed, self.worker_told_to_go, self.worker_frozen, self.child_frozen,
            self.api_process_killed, self.api_killed, self.redis_killed, self.redis_flushed, self.redis_silent,
            self.redis_full, self.redis_cut, self.postgres_crashed, self.postgres_cut,
        ]  # fmt: skip

    def close(self) -> None:
        self._stack.close()

    def run(self, until: Callable[[], bool], for_s: float, apart_s: tuple[float, float]) -> None:
        """Break one thing after another: each once in a random order, then again, until the time is over.

        `apart_s`: the least and the most between them.
        """
        end_s = time.monotonic() + for_s
        while time.monotonic() < end_s and not until():
            for fault in self._chance.sample(self.faults, len(self.faults)):
                if time.monotonic() > end_s:
                    break
                self._break(fault)
                self._pass_time(self._chance.uniform(*apart_s))

    def heal(self) -> None:
        """Undo what can be undone, start what has ended; a last time Redis loses all."""
        for _, undo in self._later:
            undo()
        self._later.clear()
        self._estate.revive_redis()
        self._estate.empty_redis()
        self._revive()
        self._estate.house.client.flushall()

    def tended(self, condition: Callable[[], bool]) -> Callable[[], bool]:
        """The condition, after what has ended was started again: a worker told to go may have gone only now."""

        def tended() -> bool:
            self._revive()
            return condition()

        return tended

    def _break(self, fault: Callable[[], None]) -> None:
        self._tell(f"{time.strftime('%H:%M:%S')}  {fault.__name__}")
        fault()
        self.counts[fault.__name__] += 1

    def _pass_time(self, seconds: float) -> None:
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            due = [undo for at_s, undo in self._later if at_s <= time.monotonic()]
            self._later = [(at_s, undo) for at_s, undo in self._later if at_s > time.monotonic()]
            for undo in due:
                undo()
            self._revive()
            time.sleep(0.1)

    def _undo_in(self, seconds: float, undo: Callable[[], None]) -> None:
        self._later.append((time.monotonic() + seconds, undo))

    def _revive(self) -> None:
        self.workers = [
            worker if worker.poll() is None else self._new_worker(mode)
            for worker, mode in zip(self.workers, self._modes, strict=True)
        ]
        for api in self.apis:
            if not api.is_running():
                api.start_again()

    def _new_worker(self, mode: Mode) -> "subprocess.Popen[bytes]":
        return self._stack.enter_context(self._estate.site.worker(mode=mode.value))

    def _a_worker(self) -> "subprocess.Popen[bytes]":
        return self._chance.choice(self.workers)

    def worker_killed(self) -> None:
        self._a_worker().kill()

    def child_killed(self) -> None:
        for child in _engine_processes(self._a_worker())[:1]:
            with suppress(psutil.NoSuchProcess):
                child.kill()

    def worker_told_to_go(self) -> None:
        self._a_worker().send_signal(signal.SIGTERM)

    def worker_frozen(self) -> None:
        worker = self._a_worker()
        worker.send_signal(signal.SIGSTOP)
        self._undo_in(LEASE_S + 1, lambda: worker.send_signal(signal.SIGCONT))

    def child_frozen(self) -> None:
        """Until the watchdog ends it; one that had not yet tied itself to its worker is woken, and ends by itself."""
        for child in _engine_processes(self._a_worker())[:1]:
            with suppress(psutil.NoSuchProcess):
                child.suspend()
            self._undo_in(8.0, partial(_resume, child))

    def api_process_killed(self) -> None:
        for child in psutil.Process(self.apis[0].pid).children()[:1]:
            child.kill()

    def api_killed(self) -> None:
        self._chance.choice(self.apis).kill()

    def redis_killed(self) -> None:
        self._estate.kill_redis()
        self._undo_in(1.5, self._estate.revive_redis)

    def redis_flushed(self) -> None:
        self._quietly(self._estate.house.client.flushall)

    def redis_silent(self) -> None:
        self._estate.signal_redis(signal.SIGSTOP)
        self._undo_in(2.0, lambda: self._estate.signal_redis(signal.SIGCONT))

    def redis_full(self) -> None:
        self._quietly(self._estate.fill_redis)
        self._undo_in(2.0, lambda: self._quietly(self._estate.empty_redis))

    def redis_cut(self) -> None:
        self._quietly(self._estate.cut_redis)

    def postgres_crashed(self) -> None:
        self._estate.restart_postgres()

    def postgres_cut(self) -> None:
        self._estate.cut_postgres()

    def _quietly(self, ask_redis: Callable[[], None]) -> None:
        """Redis may be away just now: then this fault is that one."""
        with suppress(Exception):
            ask_redis()


def _engine_processes(worker: "subprocess.Popen[bytes]") -> list[psutil.Process]:
    return children_of(worker) + stream_children(worker)


def _resume(process: psutil.Process) -> None:
    with suppress(psutil.NoSuchProcess):
        process.resume()


@dataclass(frozen=True)
class Report:
    """What came of it; `broken` is empty if all went well. `n_spoken` live sessions had `n_connections`."""

    n_accepted: int
    n_diarized: int
    n_unanswered: int
    n_spoken: int
    n_connections: int
    faults: Counter[str]
    broken: list[str]
    logs: str


def run_chaos(
    seed: int,
    n_jobs: int,
    *,
    for_s: float,
    n_workers: int = 3,
    n_diarizers: int = 0,
    n_streamers: int = 0,
    n_speakers: int = 3,
    apart_s: tuple[float, float] = APART_S,
    tell: Callable[[str], None] = lambda _: None,
) -> Report:
    """Break things for up to `for_s` seconds while `n_jobs` are handed in, heal, wait until all is at rest, check.

    With live sessions for all of `for_s`: who speaks goes on speaking.
    """
    modes = [Mode.BATCH] * n_workers + [Mode.DIARIZATION] * n_diarizers + [Mode.STREAMING] * n_streamers
    with make_estate() as estate, ExitStack() as stack:
        estate.site.settings.update(SETTINGS)
        chaos = Chaos(estate, seed, modes, tell)
        stack.callback(chaos.close)
        clients = Clients(estate, chaos.apis, seed, n_jobs, diarize=n_diarizers > 0)
        speakers = Speakers(chaos.apis, seed, n_speakers if n_streamers else 0)
        if n_streamers:
            chaos.faults += [speakers.live_cut, speakers.live_client_gone]
        clients.start()
        speakers.start()
        chaos.run(
            until=lambda: not n_streamers and clients.are_done() and _is_at_rest(estate), for_s=for_s, apart_s=apart_s
        )
        tell("healing")
        speakers.finish()
        chaos.heal()
        wait_for(chaos.tended(clients.are_done), 60 + n_jobs)
        with suppress(AssertionError):
            wait_for(chaos.tended(speakers.are_done), 90)
        with suppress(AssertionError):  # what has not come to rest, the checker tells
            wait_for(chaos.tended(lambda: _is_at_rest(estate)), 60 + 2 * n_jobs)
        return _judged(estate, clients, speakers, chaos)


def _is_at_rest(estate: Estate) -> bool:
    try:
        return at_rest(estate.house)()
    except Unavailable:
        return False


def _judged(estate: Estate, clients: Clients, speakers: Speakers, chaos: Chaos) -> Report:
    house, speeches = estate.house, speakers.speeches
    broken = broken_rules(house)
    # A run that is lost at its very end may leave a recording behind as well.
    n_lost = sum(house.row(one.job_id).attempt - 1 for one in speeches if one.job_id)
    broken += broken_promises(house, clients.accepted, estate.storage, n_unanswered=clients.n_unanswered + n_lost)
    broken += broken_speeches(house, FolderStorage(estate.storage), speeches, PATIENCE_S)
    for job_id, told in clients.accepted.items():
        state = house.row(job_id).state
        if state != ("FAILED" if "refuse" in told else "COMPLETED"):
            broken.append(f"{job_id} ({told}) is {state}: {house.row(job_id).error_code}")
    broken += _made_twice(estate, clients.n_without_key)
    n_diarized = sum(house.row(job_id).mode == Mode.DIARIZATION for job_id in clients.accepted)
    return Report(
        n_accepted=len(clients.accepted),
        n_diarized=n_diarized,
        n_unanswered=clients.n_unanswered,
        n_spoken=sum(one.completed is not None for one in speeches),
        n_connections=sum(one.n_connections for one in speeches),
        faults=chaos.counts,
        broken=broken,
        logs=estate.site.logs(),
    )


def _made_twice(estate: Estate, n_without_key: int) -> list[str]:
    """A key makes one job, however often its request is sent; without one, each was sent once.

    Halves and live sessions have none.
    """
    with estate.house.engine.connect() as connection:
        query = """SELECT count(*) FROM jobs WHERE parent_id IS NULL AND mode <> 'streaming'
            AND id NOT IN (SELECT job_id FROM idempotency_keys)"""
        n = int(connection.exec_driver_sql(query).scalar() or 0)
    return [f"{n} jobs without a key, of {n_without_key} that were sent"] if n > n_without_key else []


def main() -> None:
    """Run it for long, telling what happens."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--jobs", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=300.0, help="how long to break things at most")
    parser.add_argument("--workers", type=int, default=3, help="of recordings")
    parser.add_argument("--diarizers", type=int, default=1, help="workers that tell speakers apart; 0: only recordings")
    parser.add_argument("--streamers", type=int, default=2, help="workers that listen live; 0: nobody speaks")
    parser.add_argument("--speakers", type=int, default=3, help="people who speak, one session after the other")
    parser.add_argument("--apart", type=float, nargs=2, default=APART_S, help="seconds between faults: least, most")
    given = parser.parse_args()
    print(f"seed {given.seed}, {given.jobs} jobs")
    workers = {"n_workers": given.workers, "n_diarizers": given.diarizers, "n_streamers": given.streamers}
    report = run_chaos(
        given.seed,
        given.jobs,
        for_s=given.seconds,
        **workers,
        n_speakers=given.speakers,
        apart_s=tuple(given.apart),
        tell=print,
    )
    print(f"{report.n_accepted} jobs accepted, {report.n_diarized} of them diarizations")
    print(f"{report.n_spoken} live sessions came to their end, over {report.n_connections} connections")
    print(f"{report.n_unanswered} requests unanswered, faults: {dict(report.faults)}")
    if report.broken:
        sys.exit("\n".join([report.logs[-20_000:], "BROKEN:", *report.broken]))
    print("every promise was kept")


if __name__ == "__main__":
    main()
