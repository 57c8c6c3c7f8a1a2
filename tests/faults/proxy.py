"""A network that can be broken: a proxy between Unix sockets that loses answers or swallows everything."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

CHUNK_BYTES = 64 * 1024


class Proxy:
    """Passes bytes on until told otherwise; each connection has a thread a direction."""

    def __init__(self, listen: Path, target: Path) -> None:
        self._target = target
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(listen))
        listen.chmod(0o777)
        self._server.listen(64)
        self._lines: set[Line] = set()
        self._lock = threading.Lock()
        self._passes = threading.Event()
        self._passes.set()
        self._loss: tuple[bytes, bytes, Callable[[], None]] | None = None
        self.n_lost = 0

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        # close() alone does not wake the thread that waits in accept().
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.cut()

    def lose_answer(self, to: bytes, after: bytes = b"", meanwhile: Callable[[], None] = lambda: None) -> None:
        """Once: let a request that contains `to` be carried out, then cut the connection instead of answering.

        With `after`, only on a connection that has said that before; `meanwhile` is done while it is carried out.
        """
        self._loss = (to, after, meanwhile)

    def swallow(self) -> None:
        """From now on nothing comes through, and nobody is told."""
        self._passes.clear()

    def heal(self) -> None:
        """As a network comes back: old connections are found to be broken, new ones work."""
        self._passes.set()
        self.cut()

    def cut(self) -> None:
        """Break all connections."""
        with self._lock:
            lines, self._lines = self._lines, set()
        for line in lines:
            line.cut()

    def to_lose(self, request: bytes, said: bytes) -> Callable[[], None] | None:
        """What is to be done while this request is carried out, if its answer is the one to lose."""
        with self._lock:
            if self._loss is None or self._loss[0] not in request or self._loss[1] not in said:
                return None
            (_, _, meanwhile), self._loss = self._loss, None
            return meanwhile

    def passes(self) -> bool:
        """Whether bytes come through."""
        return self._passes.is_set()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._server.accept()
                self._connect(client)

    def _connect(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(str(self._target))
        except OSError:
            client.close()
            server.close()
            return
        line = Line(self, client, server)
        with self._lock:
            self._lines.add(line)
        line.start()


class Line:
    """One connection: a client's and a server's end."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy, self._client, self._server = proxy, client, server
        self._said = b""
        self._loses = False

    def start(self) -> None:
        """Pass on, both ways."""
        for pump in (self._ask, self._answer):
            threading.Thread(target=self._until_cut, args=[pump], daemon=True).start()

    def cut(self) -> None:
        """Break both ends."""
        for end in (self._client, self._server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _until_cut(self, pump) -> None:
        with suppress(OSError):
            while pump():
                pass
        self.cut()

    def _ask(self) -> bool:
        data = self._client.recv(CHUNK_BYTES)
        if self._proxy.passes():
            self._said += data
            meanwhile = self._proxy.to_lose(data, self._said)
            self._loses = self._loses or meanwhile is not None
            self._server.sendall(data)
            if meanwhile is not None:
                meanwhile()
        return bool(data)

    def _answer(self) -> bool:
        try:
            data = self._server.recv(CHUNK_BYTES)
        except ConnectionResetError:  # a server that crashes may leave words of ours unread
            data = b""
        if self._loses:
            self._proxy.n_lost += 1
            return False
        if self._proxy.passes():
            self._client.sendall(data)
        return bool(data)
