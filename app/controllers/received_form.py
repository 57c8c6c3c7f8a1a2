"""A form with a recording in it, taken in while it arrives: fields into memory, the recording onto storage."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from flask import Request
from werkzeug.datastructures import MultiDict

from app.controllers.file_names import clean_name
from app.controllers.multipart import Piece, read_pieces
from app.controllers.stalling import stalls_end
from app.domain.errors import BadRequest, TooLarge
from app.services.media.storage import Storage, StoredAudio, Upload

MAX_FIELDS_BYTES = 256 * 1024
HOLD_EVERY_S = 1.0


@dataclass
class ReceivedForm:
    """What has arrived so far. `problems` are what is wrong with parts as such, by their names."""

    file_field: str
    begin_upload: Callable[[], Upload]
    fields: "MultiDict[str, str]" = field(default_factory=MultiDict)
    problems: dict[str, list[str]] = field(default_factory=dict)
    filename: str | None = None
    n_bytes: int = 0
    _upload: Upload | None = None
    _texts: list[tuple[str, bytearray]] = field(default_factory=list)

    def take(self, piece: Piece) -> None:
        """Put a piece where it belongs."""
        if piece.filename is None:
            self._take_text(piece)
        elif piece.name != self.file_field:
            self._object(piece.name, "No file is taken here.")
        else:
            self._take_recording(piece)

    def end(self) -> None:
        """Everything is here: make text of the fields.

        Raises:
            BadRequest: a field is not UTF-8.
        """
        try:
            self.fields = MultiDict([(name, text.decode()) for name, text in self._texts])
        except UnicodeDecodeError as error:
            raise BadRequest(reason="a form field is not UTF-8") from error
        if self.fields.poplist(self.file_field):
            self._object(self.file_field, "Must be a file, not text.")

    def keep(self) -> StoredAudio | None:
        """Make the recording safe, if there is one."""
        return self._upload.keep() if self._upload else None

    def drop(self) -> None:
        """Forget the recording; harmless after `keep`."""
        if self._upload:
            self._upload.drop()

    def _take_text(self, piece: Piece) -> None:
        if piece.begins:
            self._texts.append((piece.name, bytearray()))
        self._texts[-1][1].extend(piece.data)
        if sum(len(text) for _, text in self._texts) > MAX_FIELDS_BYTES:
            raise TooLarge(limit=MAX_FIELDS_BYTES)

    def _take_recording(self, piece: Piece) -> None:
        if piece.begins and self.filename is not None:
            self._object(self.file_field, "Given more than once.")
        # A browser sends an input in which no file was chosen as one without a name.
        if piece.begins and piece.filename:
            self.filename = clean_name(piece.filename)
        if piece.data:
            self._upload = self._upload or self.begin_upload()
            self._upload.write(piece.data)
            self.n_bytes += len(piece.data)

    def _object(self, name: str, message: str) -> None:
        told = self.problems.setdefault(name, [])
        if message not in told:
            told.append(message)


@contextmanager
def received_form(
    request: Request, file_field: str, storage: Storage, limit_bytes: int, hold: Callable[[], None]
) -> Iterator[ReceivedForm]:
    """Take a form in; its recording is dropped at the end of the block if it was not kept.

    `hold` is called now and then while it arrives.

    Raises:
        BadRequest: it is no form, or a damaged one.
        TooLarge: the recording is larger than `limit_bytes`, or the fields are too large.
        StorageFull, Unavailable: it cannot be stored.
    """
    form = ReceivedForm(file_field, lambda: storage.receive(limit_bytes))
    boundary = _boundary(request)
    held_s = time.monotonic()
    try:
        with stalls_end(request.environ):
            for piece in read_pieces(request.stream, boundary):
                form.take(piece)
                if time.monotonic() - held_s > HOLD_EVERY_S:
                    held_s = time.monotonic()
                    hold()
        form.end()
        yield form
    finally:
        form.drop()


def merged(*problems: dict[str, list[str]]) -> dict[str, list[str]]:
    """All messages of each field."""
    all_of: dict[str, list[str]] = defaultdict(list)
    for some in problems:
        for name, messages in some.items():
            all_of[name] += [message for message in messages if message not in all_of[name]]
    return dict(all_of)


def _boundary(request: Request) -> str:
    if request.mimetype != "multipart/form-data":
        raise BadRequest(reason="the body must be multipart/form-data")
    boundary = request.mimetype_params.get("boundary", "")
    if not boundary or not boundary.isascii():
        raise BadRequest(reason="the form has no boundary")
    return boundary
