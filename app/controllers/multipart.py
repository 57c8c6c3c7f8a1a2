"""Reading multipart/form-data (RFC 7578) as it arrives, in constant memory.

Werkzeug's own decoder (3.1) adds a byte to a part if a read happens to end inside the line of the next boundary; a
recording has to be stored as it was sent.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from werkzeug.http import parse_options_header

from app.domain.errors import BadRequest

CHUNK_BYTES = 64 * 1024
MAX_LINE_BYTES = 8 * 1024
MAX_HEADERS = 20
MAX_PARTS = 200
CRLF = b"\r\n"

DAMAGED = "the form ends too early or is damaged"
TOO_MUCH = "the form has too many parts or too long a header"


class Readable(Protocol):
    """The body of a request."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some bytes of a part. Its first piece is empty and `begins`; `filename` is None for a part that is no file."""

    name: str
    filename: str | None
    data: bytes
    begins: bool = False


def read_pieces(stream: Readable, boundary: str) -> Iterator[Piece]:
    """The parts of a form, in pieces, in the order in which they come.

    Raises:
        BadRequest: it is damaged, or ends before its last boundary.
    """
    body = _Body(stream, boundary)
    for _ in body.until_boundary():
        pass  # what is before the first boundary is for nobody
    n_parts = 0
    while not body.is_over():
        n_parts += 1
        if n_parts > MAX_PARTS:
            raise BadRequest(reason=TOO_MUCH)
        name, filename = _described(body.headers())
        yield Piece(name, filename, b"", begins=True)
        for data in body.until_boundary():
            yield Piece(name, filename, data)


def _described(headers: dict[str, str]) -> tuple[str, str | None]:
    """A part's name, and the name of its file if it is one."""
    _, said = parse_options_header(headers.get("content-disposition"))
    if not said.get("name"):
        raise BadRequest(reason="a part of the form has no name")
    return said["name"], said.get("filename")


class _Body:
    """The bytes of a form, read only as far as they are needed."""

    def __init__(self, stream: Readable, boundary: str) -> None:
        self._stream = stream
        self._delimiter = CRLF + b"--" + boundary.encode("ascii")
        # The line break before a boundary is a part of it, and the first boundary may stand at the very beginning.
        self._buffer = bytearray(CRLF)

    def until_boundary(self) -> Iterator[bytes]:
        """What is before the next boundary; the boundary itself is taken away."""
        n_held = len(self._delimiter) - 1
        while (at := self._buffer.find(self._delimiter)) < 0:
            if len(self._buffer) > n_held:
                yield self._take(len(self._buffer) - n_held)
            self._read_more()
        if at:
            yield self._take(at)
        self._take(len(self._delimiter))

    def is_over(self) -> bool:
        """Whether the boundary that was just taken away was the last one."""
        self._fill(len(b"--"))
        if self._buffer.startswith(b"--"):
            return True
        if self._line().strip():
            raise BadRequest(reason=DAMAGED)
        return False

    def headers(self) -> dict[str, str]:
        """The headers of a part, by their names in lower case."""
        found: dict[str, str] = {}
        while line := self._line():
            if len(found) == MAX_HEADERS:
                raise BadRequest(reason=TOO_MUCH)
            name, _, value = _decoded(line).partition(":")
            found[name.strip().lower()] = value.strip()
        self._lend_line_break()
        return found

    def _lend_line_break(self) -> None:
        """Some clients send an empty part without a line break of its own before the next boundary."""
        boundary = self._delimiter.removeprefix(CRLF)
        self._fill(len(boundary))
        if self._buffer.startswith(boundary):
            self._buffer[:0] = CRLF

    def _line(self) -> bytes:
        while (at := self._buffer.find(CRLF)) < 0:
            if len(self._buffer) > MAX_LINE_BYTES:
                raise BadRequest(reason=TOO_MUCH)
            self._read_more()
        line = self._take(at)
        self._take(len(CRLF))
        return line

    def _take(self, n_bytes: int) -> bytes:
        taken = bytes(self._buffer[:n_bytes])
        del self._buffer[:n_bytes]
        return taken

    def _fill(self, n_bytes: int) -> None:
        while len(self._buffer) < n_bytes:
            self._read_more()

    def _read_more(self) -> None:
        data = self._stream.read(CHUNK_BYTES)
        if not data:
            raise BadRequest(reason=DAMAGED)
        self._buffer += data


def _decoded(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise BadRequest(reason=DAMAGED) from error
