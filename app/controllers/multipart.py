"""Reading multipart/form-data (RFC 7578) as it arrives, in constant memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from app.domain.errors import BadRequest

CHUNK_BYTES = 64 * 1024
BUFFER_BYTES = 4 * CHUNK_BYTES
MAX_PARTS = 200
Begun = Field | File
Event = Field | File | Data


@dataclass(frozen=True, slots=True)
class Piece:
    """Some bytes of a part. Its first piece is empty and `begins`; `filename` is None for a part that is no file."""

    name: str
    filename: str | None
    data: bytes
    begins: bool = False


def read_pieces(stream: IO[bytes], boundary: str) -> Iterator[Piece]:
    """The parts of a form, in pieces, in the order in which they come.

    Raises:
        BadRequest: it is damaged, or ends before its last boundary.
    """
    decoder = MultipartDecoder(boundary.encode("latin-1", "replace"), BUFFER_BYTES, max_parts=MAX_PARTS)
    name, filename = "", None
    for event in _events(decoder, stream):
        if isinstance(event, Data):
            yield Piece(name, filename, event.data)
        else:
            name, filename = _named(event), getattr(event, "filename", None)
            yield Piece(name, filename, b"", begins=True)


def _named(part: Begun) -> str:
    name: str | None = part.name  # the decoder promises text, and gives None where the header names nothing
    if not name:
        raise BadRequest(reason="a part of the form has no name")
    return name


def _events(decoder: MultipartDecoder, stream: IO[bytes]) -> Iterator[Event]:
    is_over = False
    while not is_over:
        data = stream.read(CHUNK_BYTES)
        is_over = not data
        try:
            decoder.receive_data(data or None)
            yield from _ready(decoder)
        except ValueError as error:
            raise BadRequest(reason="the form ends too early or is damaged") from error
        except RequestEntityTooLarge as error:
            raise BadRequest(reason="the form has too many parts or too long a header") from error


def _ready(decoder: MultipartDecoder) -> Iterator[Event]:
    """What the bytes received so far hold."""
    while True:
        event = decoder.next_event()
        if isinstance(event, Field | File | Data):
            yield event
        elif isinstance(event, NeedData | Epilogue):
            return
