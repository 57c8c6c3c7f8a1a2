"""A server of weights that behaves as badly as it is told to: real HTTP, on a free port of this machine."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha1, sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import urlsplit

REVISION = "a" * 40


@dataclass(slots=True)
class WeightsServer:
    """What it serves and how."""

    files: dict[str, bytes] = field(default_factory=dict)
    """By path."""
    breaks: list[int] = field(default_factory=list)
    """After how many bytes of each of the next answers with content the connection is cut."""
    refusals: list[int] = field(default_factory=list)
    """Status codes of the next answers."""
    ignores_ranges: bool = False
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    """Path and `Range` of each GET."""
    url: str = ""

    def ranges(self, path: str) -> list[str | None]:
        """The ranges asked for of one path."""
        return [asked for other, asked in self.asked if other == path]

    def put_repository(self, name: str, files: dict[str, bytes], large: str = "model.bin") -> None:
        """Serve a repository as the Hugging Face hub does, one file of it as a large one."""
        self.files |= {f"/{name}/resolve/{REVISION}/{file}": content for file, content in files.items()}
        entries = [_hub_entry(file, content, is_large=file == large) for file, content in files.items()]
        info = {
            "id": name,
            "sha": REVISION,
            "private": False,
            "tags": [],
            "downloads": 0,
            "likes": 0,
            "siblings": entries,
        }
        tree = [{"type": "file", "path": e["rfilename"], "oid": e["blobId"], **e} for e in entries]
        self.files[f"/api/models/{name}"] = self.files[f"/api/models/{name}/revision/{REVISION}"] = _json(info)
        self.files[f"/api/models/{name}/tree/{REVISION}"] = _json(tree)


@contextmanager
def serving() -> Iterator[WeightsServer]:
    """A server that runs as long as the block."""
    told = WeightsServer()
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(told)) as server:
        told.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield told
        server.shutdown()
        thread.join()


def _hub_entry(file: str, content: bytes, *, is_large: bool) -> dict[str, object]:
    blob = sha1(f"blob {len(content)}\0".encode() + content, usedforsecurity=False).hexdigest()
    large = {"sha256": sha256(content).hexdigest(), "oid": sha256(content).hexdigest()}
    large |= {"size": len(content), "pointerSize": 100, "pointer_size": 100}
    return {"rfilename": file, "size": len(content), "blobId": blob, **({"lfs": large} if is_large else {})}


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def _handler(told: WeightsServer) -> type[BaseHTTPRequestHandler]:
    return type("Handler", (_Handler,), {"told": told})


class _Handler(BaseHTTPRequestHandler):
    told: ClassVar[WeightsServer]

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        self.told.asked.append((path, self.headers.get("Range")))
        self._answer(path)

    def do_HEAD(self) -> None:
        self._answer(urlsplit(self.path).path)

    def _answer(self, path: str) -> None:
        if self.command == "GET" and self.told.refusals:
            self.send_error(self.told.refusals.pop(0))
        elif path not in self.told.files:
            self.send_error(404)
        else:
            self._send(self.told.files[path])

    def _send(self, content: bytes) -> None:
        first = self._first_byte()
        if first and first >= len(content):
            self._begin(416, 0, f"bytes */{len(content)}", content)
            return
        span = f"bytes {first}-{len(content) - 1}/{len(content)}" if first else None
        self._begin(206 if first else 200, len(content) - first, span, content)
        if self.command == "GET":
            self._write(content[first:])

    def _first_byte(self) -> int:
        asked = self.headers.get("Range")
        return 0 if asked is None or self.told.ignores_ranges else int(asked.removeprefix("bytes=").split("-")[0])

    def _begin(self, status: int, length: int, span: str | None, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        self.send_header("ETag", f'"{sha256(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", REVISION)
        if span:
            self.send_header("Content-Range", span)
        self.end_headers()

    def _write(self, content: bytes) -> None:
        # Small answers are never cut, so that only the file in question is.
        breaks = self.told.breaks
        is_cut = bool(breaks) and len(content) > breaks[0]
        self.wfile.write(content[: breaks.pop(0)] if is_cut else content)
        self.wfile.flush()
        self.close_connection = True

    def log_message(self, *_args: object) -> None:
        """Stay quiet."""
