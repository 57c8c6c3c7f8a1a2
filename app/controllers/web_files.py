"""The files that the page is made of, read once: compressed, and at an address that changes with them."""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "web"
TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
}
PLACE, PRELOADS = "{{revision}}", "<!-- preloads -->"
FIRST_VIEW = "first view"
"""A module whose first line says so is fetched along with the page, not after the modules that import it."""


@dataclass(frozen=True, slots=True)
class WebFile:
    """A file as it is served."""

    content: bytes
    compressed: bytes
    content_type: str

    @property
    def etag(self) -> str:
        """What it is known by."""
        return hashlib.sha256(self.content).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Web:
    """All files, by their path; `revision` is what they all together are known by."""

    revision: str
    page: WebFile
    files: dict[str, WebFile]


@cache
def load_web() -> Web:
    """Read them; a change is seen when the API is started again."""
    contents = {str(path.relative_to(FOLDER)): path.read_bytes() for path in sorted(FOLDER.rglob("*.*"))}
    revision = hashlib.sha256(b"\0".join(name.encode() + b"\0" + data for name, data in contents.items())).hexdigest()
    page = _page(contents, revision[:12])
    return Web(revision[:12], page, {name: _file(name, data) for name, data in contents.items()})


def _page(contents: dict[str, bytes], revision: str) -> WebFile:
    first = [name for name, data in contents.items() if FIRST_VIEW in data.split(b"\n", 1)[0].decode()]
    links = "\n  ".join(f'<link rel="modulepreload" href="/web/{PLACE}/{name}">' for name in first)
    text = contents["index.html"].decode().replace(PRELOADS, links).replace(PLACE, revision)
    return _file("index.html", text.encode())


def _file(name: str, data: bytes) -> WebFile:
    suffix = Path(name).suffix
    content_type = TYPES.get(suffix) or mimetypes.types_map.get(suffix, "application/octet-stream")
    return WebFile(data, gzip.compress(data, mtime=0), content_type)
