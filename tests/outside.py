"""The world outside, for tests: a real HTTP server on this machine that answers as each test scripts it."""

import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

TLS = Path(__file__).parent / "fixtures" / "tls"


@dataclass
class Received:
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Answer = Callable[["Exchange"], None]


@dataclass
class Exchange:
    """One request, to be answered."""

    request: Received
    handler: BaseHTTPRequestHandler
    outside: "Outside"

    def head(self, status: int = 200, **headers: str) -> None:
        self.handler.send_response(status)
        for name, value in headers.items():
            self.handler.send_header(name.replace("_", "-"), value)
        self.handler.end_headers()

    def say(self, status: int = 200, body: bytes = b"", **headers: str) -> None:
        """A whole answer."""
        self.head(status, Content_Length=str(len(body)), **headers)
        self.write(body)

    def write(self, data: bytes) -> None:
        try:
            self.handler.wfile.write(data)
            self.outside.n_sent += len(data)
        except OSError:
            self.handler.close_connection = True
            raise

    def hang_up(self) -> None:
        """Break the connection off."""
        self.handler.close_connection = True

    @property
    def range_start(self) -> int | None:
        asked = re.fullmatch(r"bytes=(\d+)-", self.request.headers.get("range", ""))
        return int(asked[1]) if asked else None


@dataclass
class Outside:
    """The server: what it has received, and how it answers each path."""

    port: int = 0
    scheme: str = "http"
    received: list[Received] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)
    n_sent: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"

    def on(self, path: str, answer: Answer) -> str:
        """Answer this path so; returns its URL."""
        self.answers[path] = answer
        return self.url(path)

    def hang(self, _exchange: Exchange) -> None:
        """An answer that never comes, until the test is over."""
        self.over.wait(60)

    def drip(self, exchange: Exchange) -> None:
        """A body of which a byte comes now and then, without end."""
        exchange.head()
        while not self.over.wait(0.05):
            exchange.write(b"x")
            exchange.handler.wfile.flush()


@contextmanager
def outside(*, tls: bool = False) -> Iterator[Outside]:
    """A server on a free port while the block lasts."""
    state = Outside(scheme="https" if tls else "http")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(state))
    server.daemon_threads = True
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(TLS / "cert.pem", TLS / "key.pem")
        server.socket = context.wrap_socket(server.socket, server_side=True)
    state.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        state.over.set()
        server.shutdown()
        server.server_close()
        thread.join(5)


def _handler(state: Outside) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Received(self.command, self.path, headers, body)
            state.received.append(request)
            answer = state.answers.get(self.path.partition("?")[0], lambda exchange: exchange.say(404))
            try:
                answer(Exchange(request, self, state))
            except OSError:
                self.close_connection = True

        def log_message(self, *_args: object) -> None:
            pass

    return Handler


def slowly(body: bytes, chunk_bytes: int, pause_s: float) -> Answer:
    """A whole answer that takes its time."""

    def answer(exchange: Exchange) -> None:
        exchange.head(Content_Length=str(len(body)))
        for start in range(0, len(body), chunk_bytes):
            exchange.write(body[start : start + chunk_bytes])
            time.sleep(pause_s)

    return answer
