"""The servers that all contestants share, their virtual environments, and starting and ending their workers."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psutil
import psycopg2
import redis

from app.embedded.migrate import migrate
from app.embedded.postgres import EmbeddedPostgres
from app.embedded.redis import EmbeddedRedis
from benchmarks.queue_peers.contestants import Contestant
from benchmarks.service import ROOT

HERE = Path(__file__).parent
ENVIRONMENTS = ROOT / "build" / "queue-peers"
QUERY = re.compile(rb"LOG:  (?:statement|execute [^:]*): (?!BEGIN|COMMIT|ROLLBACK)")
TABLES = """
CREATE TABLE bench_jobs (id text, enqueued_at float8, started_at float8);
CREATE TABLE bench_promises (id text, enqueued_at float8);
CREATE VIEW bench_ours AS
    SELECT jobs.id, (metadata->>'enqueued_at')::float8 AS enqueued_at, text::float8 AS started_at
    FROM jobs JOIN job_transcripts ON job_id = jobs.id WHERE state = 'COMPLETED';
"""


@dataclass
class Running:
    """A worker: the process that was started, in a session of its own."""

    process: "subprocess.Popen[bytes]"

    def family(self) -> list[psutil.Process]:
        """It and all that it has started."""
        try:
            first = psutil.Process(self.process.pid)
            return [first, *first.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def kill(self) -> float:
        """End all of it with SIGKILL, at once; the time."""
        family = self.family()
        at_s = time.time()
        for one in family:
            try:
                one.send_signal(signal.SIGKILL)
            except psutil.NoSuchProcess:
                continue  # it went with its parent
        self.process.wait()
        return at_s

    def cpu_s(self) -> float:
        """Processor time of the family so far."""
        return sum(sum(one.cpu_times()[:2]) for one in self.family())


class Stage:
    """PostgreSQL and Redis, started; what is done with them."""

    def __init__(self, folder: Path, postgres_url: str, redis_url: str) -> None:
        self._folder = folder
        self._redis_path = urlsplit(redis_url).path
        sockets = parse_qs(urlsplit(postgres_url).query)["host"][0]
        self._conninfo = f"host={sockets} user=parloir dbname=parloir"
        self._environ = {
            **os.environ,
            "BENCH_REDIS": self._redis_path,
            "BENCH_POSTGRES": self._conninfo,
            "DATABASE_URL": postgres_url,
            "REDIS_URL": redis_url,
            "VAR_DIR": str(folder / "var"),
            "LOG_LEVEL": "WARNING",
            "PYTHONPATH": f"{HERE}:{ROOT}:{ROOT / 'tests' / 'plugins'}",
        }
        self._redis = redis.Redis(unix_socket_path=self._redis_path)
        self._postgres = psycopg2.connect(self._conninfo)
        self._postgres.autocommit = True

    def prepare(self, chosen: Sequence[Contestant]) -> None:
        """Make tables and virtual environments."""
        migrate(self._environ["DATABASE_URL"])
        self.query(TABLES)
        for one in chosen:
            if one.requirements:
                _make_environment(one)
            if one.name == "procrastinate":
                command = [str(_program(one, "procrastinate")), "-a", "procrastinate_peer.app", "schema", "--apply"]
                subprocess.run(command, env=self._environ, cwd=HERE, check=True, stdout=subprocess.DEVNULL)

    def clean(self) -> None:
        """Nothing waits, nothing is left of the one before."""
        self._redis.flushall()
        self.query("TRUNCATE bench_jobs, bench_promises, jobs CASCADE")
        if self.query("SELECT to_regclass('procrastinate_jobs')")[0][0]:
            self.query("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE")
        self.query("CHECKPOINT")

    @contextmanager
    def worker(self, one: Contestant, *, tuned: bool) -> Iterator[Running]:
        """Its worker, killed at the end of the block."""
        program, *arguments = [part.format(redis=self._redis_path) for part in one.command]
        command = [str(_program(one, program)), *arguments, *(one.tuned if tuned else one.default)]
        environ = {**self._environ, "BENCH_TUNED": str(int(tuned))}
        with (self._folder / f"{one.module}.log").open("ab") as log:
            started = subprocess.Popen(
                command, cwd=_home(one), env=environ, stdout=log, stderr=log, start_new_session=True
            )
        worker = Running(started)
        try:
            yield worker
        finally:
            worker.kill()

    def settle(self, one: Contestant) -> None:
        """Wait until the worker has done a first job, and a little longer."""
        before = self.count(one.table)
        self.produce(one, 1)
        if not self.wait_for(one.table, before + 1, within_s=60):
            raise RuntimeError(f"{one.name} does not work:\n{(self._folder / f'{one.module}.log').read_text()[-2000:]}")
        time.sleep(3)
        self.query("TRUNCATE bench_jobs")

    def produce(
        self,
        one: Contestant,
        n: int,
        kind: str = "noop",
        seconds: float = 0,
        pause_s: float = 0,
        *,
        promised: bool = False,
    ) -> None:
        """Put jobs in, from a process of its own; `promised` ones have a row committed first."""
        environ = {**self._environ, "BENCH_PROMISE": str(int(promised))}
        command = [str(_program(one, "python")), str(HERE / "produce.py"), one.module]
        arguments = [str(n), kind, str(seconds), str(pause_s), str(self.count(one.table))]
        subprocess.run([*command, *arguments], cwd=_home(one), env=environ, check=True)

    def wait_for(self, table: str, n: int, within_s: float) -> bool:
        """Whether so many rows are there in time."""
        deadline_s = time.monotonic() + within_s
        while self.count(table) < n:
            if time.monotonic() > deadline_s:
                return False
            time.sleep(0.1)
        return True

    def count(self, table: str) -> int:
        """How many rows are there."""
        return int(self.query(f"SELECT count(*) FROM {table}")[0][0])

    def waits_s(self, one: Contestant) -> list[float]:
        """From enqueue to start, in the order of the starts."""
        rows = self.query(f"SELECT started_at - enqueued_at FROM {one.table} ORDER BY started_at")
        return [float(row[0]) for row in rows]

    def starts_s(self, one: Contestant, table: str | None = None) -> list[float]:
        """When they started, in order."""
        rows = self.query(f"SELECT started_at FROM {table or one.table} ORDER BY started_at")
        return [float(row[0]) for row in rows]

    def watch(self, worker: Running, seconds: float) -> tuple[float, float, float]:
        """Processor share in percent, queries to PostgreSQL and Redis commands a second, all but our own looking."""
        with self._queries_logged() as queries:
            before, cpu_s = self._commands(), worker.cpu_s()
            time.sleep(seconds)
            cpu_s = worker.cpu_s() - cpu_s
            n_commands = self._commands() - before - 1
            n_queries = queries()
        return 100 * cpu_s / seconds, n_queries / seconds, max(0, n_commands) / seconds

    def _commands(self) -> int:
        info: Any = self._redis.info("stats")
        return int(info["total_commands_processed"])

    @contextmanager
    def _queries_logged(self) -> Iterator[Callable[[], int]]:
        """PostgreSQL logs all it is asked to do; gives what counts it, but for BEGIN, COMMIT and ROLLBACK."""
        self._log_statements("all")
        log = self._folder / "var" / "log" / "postgres.log"
        from_byte = log.stat().st_size
        try:
            yield lambda: len(QUERY.findall(log.read_bytes()[from_byte:]))
        finally:
            self._log_statements("none")

    def _log_statements(self, which: str) -> None:
        self.query(f"ALTER SYSTEM SET log_statement = '{which}'")
        self.query("SELECT pg_reload_conf()")
        time.sleep(0.5)  # until every connection has heard of it

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Rows, if it gives any."""
        with self._postgres.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []


@contextmanager
def staged(chosen: Sequence[Contestant]) -> Iterator[Stage]:
    """Servers in a folder of their own, prepared for these contestants."""
    with tempfile.TemporaryDirectory(prefix="parloir-bench-") as folder:
        os.chmod(folder, 0o755)  # noqa: PTH101 - PostgreSQL may run as another user
        postgres, redis_server = EmbeddedPostgres(Path(folder) / "var"), EmbeddedRedis(Path(folder) / "var")
        try:
            stage = Stage(Path(folder), postgres.start(), redis_server.start())
            stage.prepare(chosen)
            yield stage
        finally:
            redis_server.stop()
            postgres.stop()


def _home(one: Contestant) -> Path:
    return HERE if one.requirements else ROOT


def _program(one: Contestant, name: str) -> Path:
    return ENVIRONMENTS / one.module / "bin" / name if one.requirements else Path(sys.executable).with_name(name)


def _make_environment(one: Contestant) -> None:
    folder = ENVIRONMENTS / one.module
    stamp = folder / "made-of.txt"
    wanted = "\n".join(one.requirements)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    venv.create(folder, clear=True, with_pip=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, *one.requirements], check=True)
    stamp.write_text(wanted)
