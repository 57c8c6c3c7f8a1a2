"""Everything that makes up the service, started and ended in the right order."""

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from app.embedded.api_client import base_url, is_live
from app.embedded.errors import LaunchError
from app.embedded.leftovers import end_leftovers
from app.embedded.port import require_free
from app.embedded.postgres import EmbeddedPostgres
from app.embedded.process import Command, Process
from app.embedded.redis import EmbeddedRedis
from app.embedded.watched import Watched
from config import LaunchConfig

ROOT = Path(__file__).parents[2]
WORKER_MODES = ("batch", "streaming", "diarization", "maintenance")
LIVE_WITHIN_S = 60.0
# The whole stop takes at most 10 s; the rest is for the servers.
PROCESSES_END_WITHIN_S = 8.8
SERVERS_END_WITHIN_S = 9.8
LOOK_EVERY_S = 0.2


class Launcher:
    """Starts what the settings ask for, keeps it running, ends it. Use it from the main thread."""

    def __init__(self, config: LaunchConfig, tell: Callable[[str], None]) -> None:
        self._config = config
        self._tell = tell
        var_dir = config.api.var_dir
        self._postgres = None if config.has_postgres else EmbeddedPostgres(var_dir)
        self._redis = None if config.has_redis else EmbeddedRedis(var_dir)
        self._api = self._python("api", "run_api.py")
        self._workers = [self._python(f"{mode}_worker", "run_worker.py", mode) for mode in WORKER_MODES]

    def start(self) -> str:
        """Start everything and wait until the API answers; its URL.

        Raises:
            LaunchError: something cannot start; says what and why.
        """
        end_leftovers(self._config.api.var_dir / "run")
        require_free(self._config.api.host, self._config.api.port)
        self._start_servers()
        for process in (self._api, *self._workers):
            process.start()
        self._wait_until_live()
        return base_url(self._config.api)

    def keep_running(self) -> None:
        """Start again whatever ends; returns only by an exception, as Ctrl-C is one."""
        watched = self._watched()
        while True:
            for one in watched:
                one.look()
            time.sleep(LOOK_EVERY_S)

    def stop(self) -> None:
        """End everything: workers and API first, each with time to finish, then what they need; at most 10 s."""
        begun_s = time.monotonic()
        ending = [*self._workers, self._api]
        for process in ending:
            process.ask_to_end()
        for process in ending:
            if not process.end(begun_s + PROCESSES_END_WITHIN_S - time.monotonic()):
                self._tell(f"{process.command.name} took too long to end and was killed.")
        if self._redis:
            self._redis.stop(0.5)
        if self._postgres:
            self._postgres.stop(begun_s + SERVERS_END_WITHIN_S - time.monotonic())

    def _start_servers(self) -> None:
        if self._redis:
            self._redis.launch()
        if self._postgres:
            self._postgres.launch()
        # Imported while the servers start: it takes as long as they do.
        from app.embedded.migrate import migrate

        for server in (self._redis, self._postgres):
            if server:
                server.wait_until_ready()
        migrate(self._urls()["database_url"])

    def _urls(self) -> dict[str, str]:
        config = self._config.api
        return {
            "database_url": self._postgres.url if self._postgres else config.database_url,
            "redis_url": self._redis.url if self._redis else config.redis_url,
        }

    def _python(self, name: str, script: str, *arguments: str) -> Process:
        return Process(
            Command(
                name=name,
                argv=[sys.executable, str(ROOT / script), *arguments],
                run_dir=self._config.api.var_dir / "run",
                environ=self._config.child_environ(**self._urls()),
            )
        )

    def _wait_until_live(self) -> None:
        deadline_s = time.monotonic() + LIVE_WITHIN_S
        while not is_live(self._config.api):
            if not self._api.is_running:
                raise LaunchError("The API ended while it started; what it wrote is above.")
            if time.monotonic() > deadline_s:
                raise LaunchError(f"The API does not answer after {LIVE_WITHIN_S:.0f} s.")
            time.sleep(0.05)

    def _watched(self) -> Sequence[Watched]:
        servers = [server for server in (self._redis, self._postgres) if server]
        processes = [self._api, *self._workers]
        return [Watched(server.process, server.launch, self._tell) for server in servers] + [
            Watched(process, process.start, self._tell) for process in processes
        ]
