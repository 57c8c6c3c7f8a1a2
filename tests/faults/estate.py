"""A whole service of its own that may be broken: PostgreSQL, Redis, the API, workers. Use it from the main thread."""

import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psutil

from app.embedded.migrate import migrate
from app.embedded.postgres import EmbeddedPostgres
from app.embedded.redis import EmbeddedRedis
from tests.diarizations import CREATE as CREATE_DIARIZATION
from tests.diarizations import SCRIPTED
from tests.factories import House, make_house
from tests.faults import audit
from tests.http_api import CREATE, ServedApi
from tests.workers import Site, write_speechlike

NOBODY = "unix:///nonexistent/redis.sock"


class Estate:
    """The servers and what they are reached by. `house` looks in from the side, past every proxy."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.postgres = EmbeddedPostgres(folder / "servers", is_durable=False)
        self.redis = EmbeddedRedis(folder / "servers")
        self.var_dir = folder / "var"
        self.storage = self.var_dir / "audio"
        self.house: House
        self.site: Site
        self.recording: bytes

    def start(self) -> "Estate":
        self.var_dir.mkdir()
        migrate(self.postgres.start())
        self.house = make_house(self.postgres.url, self.redis.start())
        audit.install(self.house.engine)
        self.site = Site(self.postgres.url, self.redis.url, self.var_dir)
        self.recording = write_speechlike(self.folder / "speech.wav", 8.0).read_bytes()
        return self

    def stop(self) -> None:
        self.house.engine.dispose()
        self.redis.stop()
        self.postgres.stop()

    def begin_anew(self) -> None:
        """Forget all jobs, events, hints, recordings and logs of the test before."""
        self.site.settings = {}
        self.site.postgres_url, self.site.redis_url = self.postgres.url, self.redis.url
        with self.house.engine.begin() as connection:
            connection.exec_driver_sql("TRUNCATE jobs CASCADE; TRUNCATE audit.changes")
        self.house.client.flushall()
        for path in [*self.storage.rglob("*"), *self.var_dir.glob("worker-*.log")]:
            if path.is_file():
                path.unlink()

    def api(self, **settings: str) -> ServedApi:
        """An API of this estate; not started yet. Several may run at once."""
        folder = Path(tempfile.mkdtemp(prefix="api-", dir=self.folder))
        given = {"STORAGE_DIR": str(self.storage), **settings}
        return ServedApi(
            given.pop("DATABASE_URL", self.postgres.url), given.pop("REDIS_URL", self.redis.url), folder, **given
        )

    def submit(
        self, api: ServedApi, prompt: str = "", key: str | None = None, diarizer: str = "", **options: Any
    ) -> httpx.Response:
        """Hand a recording in; with a model of the scripted `diarizer`, to be told who says what."""
        speakers = {**SCRIPTED, "diarizationModel": diarizer} if diarizer else {}
        return httpx.post(
            api.url + (CREATE_DIARIZATION if diarizer else CREATE),
            files={"audioFile": ("speech.wav", self.recording)},
            data={**speakers, **({"prompt": prompt} if prompt else {})},
            headers={"Idempotency-Key": key} if key else {},
            **{"timeout": 20.0, **options},
        )

    def submitted(self, api: ServedApi, prompt: str = "") -> str:
        """The id of a job that was answered 202."""
        return accepted_id(self.submit(api, prompt))

    def restart_postgres(self) -> None:
        """`pg_ctl restart -m immediate`: no transaction is ended in good order, the log is replayed."""
        self.crash_postgres()
        self.revive_postgres()

    def crash_postgres(self) -> None:
        """`pg_ctl stop -m immediate`, without waiting for it."""
        os.kill(self.postgres.process.pid, signal.SIGQUIT)

    def revive_postgres(self) -> None:
        """It is there again, with what was committed."""
        self.postgres.process.end(10)
        self.postgres.start()
        self.house.engine.dispose()

    def cut_postgres(self) -> None:
        """All connections break, some between a commit and its answer; it goes on itself."""
        others = "pid <> pg_backend_pid() AND backend_type = 'client backend'"
        with self.house.engine.connect() as connection:
            connection.exec_driver_sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")
        self.house.engine.dispose()

    @contextmanager
    def unwritten_commits(self) -> Iterator[Callable[[], None]]:
        """Until the end of the block, commits that do not wait for the disk stay unwritten; gives a crash."""
        (writer,) = [one for one in self._postgres_processes() if "walwriter" in " ".join(one.cmdline())]
        writer.suspend()

        def crash() -> None:
            self.crash_postgres()
            writer.kill()  # frozen, it would be waited for
            self.revive_postgres()

        try:
            yield crash
        finally:
            with suppress(psutil.NoSuchProcess):
                writer.resume()

    def _postgres_processes(self) -> list[psutil.Process]:
        postmaster = psutil.Process(self.postgres.process.pid)
        return [postmaster, *postmaster.children()]

    def signal_postgres(self, number: int) -> None:
        """SIGSTOP: its sockets take bytes, and nothing ever answers; SIGCONT."""
        for process in self._postgres_processes():
            process.send_signal(number)

    def kill_redis(self) -> None:
        """It is gone with all it held."""
        os.kill(self.redis.process.pid, signal.SIGKILL)
        self.redis.process.end(5)

    def revive_redis(self) -> None:
        """It is there again, and empty."""
        if not self.redis.process.is_running:
            self.redis.start()

    def signal_redis(self, number: int) -> None:
        """SIGSTOP: it takes connections and answers nothing; SIGCONT."""
        if self.redis.process.is_running:
            os.kill(self.redis.process.pid, number)

    def cut_redis(self) -> None:
        """All connections break; it keeps what it has."""
        for kind in ("normal", "pubsub"):
            self.house.client.client_kill_filter(_type=kind, skipme=True)

    def fill_redis(self) -> None:
        """`maxmemory` is reached, `noeviction`: what would need room is refused."""
        self.house.client.config_set("maxmemory", 1)

    def empty_redis(self) -> None:
        """There is room again."""
        self.house.client.config_set("maxmemory", 0)


@contextmanager
def make_estate() -> Iterator[Estate]:
    """An estate in a folder whose path is short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="parloir-faults-") as folder:
        estate = Estate(Path(folder))
        try:
            yield estate.start()
        finally:
            estate.stop()


def accepted_id(answer: httpx.Response) -> str:
    """The id in an answer that must be a 202."""
    assert answer.status_code == 202, answer.text
    return str(answer.json()["data"]["job_uuid"])


def serving_process(api: ServedApi) -> psutil.Process:
    """The one process that answers requests."""
    (worker,) = psutil.Process(api.pid).children()
    return worker
