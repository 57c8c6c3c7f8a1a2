"""Forms as they come over the wire: in pieces cut anywhere, with names that must do no harm."""

import io
from socket import socketpair

import pytest
from flask import Request
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict
from werkzeug.test import EnvironBuilder

from app.controllers.file_names import clean_name, disposition, stem
from app.controllers.multipart import read_pieces
from app.controllers.received_form import received_form
from app.controllers.stalling import stalls_end
from app.domain.errors import BadRequest, InvalidFields
from app.domain.job import JobOptions, Priority
from app.middlewares.canonical_path import CanonicalPath, first_segments
from app.schemas.create_job import CreateBatchJobForm
from app.schemas.loading import flattened, load_form
from app.services.media.folder import FolderStorage

SOUND = bytes(range(256)) * 3 + b"\r\n--bound\r\n--b\r\n\r\n"
FORM = (
    b"preamble\r\n--boundary\r\n"
    b'Content-Disposition: form-data; name="task"\r\n\r\ntranscribe\r\n--boundary\r\n'
    b'Content-Disposition: form-data; name="empty"\r\n\r\n\r\n--boundary  \r\n'
    b'Content-Disposition: form-data; name="bare"\r\n\r\n--boundary\r\n'
    b'Content-Disposition: form-data; name="audioFile"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\n'
    + SOUND
    + b"\r\n--boundary--\r\nepilogue"
)


class Trickle(io.RawIOBase):
    """Gives what it holds in pieces of given sizes, over and over."""

    def __init__(self, content: bytes, sizes: list[int]) -> None:
        self._content, self._sizes, self._n = io.BytesIO(content), sizes, 0

    def read(self, size: int = -1) -> bytes:
        self._n += 1
        return self._content.read(min(self._sizes[self._n % len(self._sizes)], size))


def parts(stream) -> dict[tuple[str, str | None], bytes]:
    found: dict[tuple[str, str | None], bytes] = {}
    for piece in read_pieces(stream, "boundary"):
        found[piece.name, piece.filename] = found.get((piece.name, piece.filename), b"") + piece.data
    return found


@given(st.lists(st.integers(1, 300), min_size=1, max_size=20))
def test_a_form_reads_the_same_however_it_is_cut(sizes):
    assert parts(Trickle(FORM, sizes)) == {
        ("task", None): b"transcribe",
        ("empty", None): b"",
        ("bare", None): b"",
        ("audioFile", "a.wav"): SOUND,
    }


@given(st.integers(0, FORM.index(b"--boundary--") + 11))
def test_a_form_that_ends_too_early_is_malformed(length):
    with pytest.raises(BadRequest):
        parts(io.BytesIO(FORM[:length]))


@given(st.binary(max_size=2000))
def test_any_bytes_are_a_form_or_malformed(content):
    try:
        parts(io.BytesIO(b"--boundary\r\n" + content))
    except BadRequest:
        return


@given(st.text(max_size=400))
def test_a_clean_name_is_short_printable_and_no_path(name):
    clean = clean_name(name)
    assert 0 < len(clean) <= 255
    assert clean.isprintable()
    assert not {"/", "\\"} & set(clean)


@pytest.mark.parametrize(
    ("given", "clean"),
    [
        ("C:\\fakepath\\a.wav", "a.wav"),
        ("../../etc/passwd", "passwd"),
        ("", "recording"),
        ("/", "recording"),
        ("é.mp3", "é.mp3"),
    ],
)
def test_only_the_last_part_of_a_path_is_a_name(given, clean):
    assert clean_name(given) == clean


@given(st.text(max_size=100).map(clean_name))
def test_a_disposition_is_one_line_of_ascii_with_two_quotes(name):
    header = disposition("attachment", name)
    assert header.isascii()
    assert header.isprintable()
    assert header.count('"') == 2


def test_a_stem_has_no_extension():
    assert (stem("a.b.wav"), stem("a"), stem(".wav")) == ("a.b", "a", ".wav")


def test_the_hold_on_a_request_is_renewed_while_it_arrives(tmp_path, monkeypatch):
    monkeypatch.setattr("app.controllers.received_form.HOLD_EVERY_S", 0.0)
    held = []
    stream = io.BytesIO(FORM)
    builder = EnvironBuilder(method="POST", input_stream=stream, content_type="multipart/form-data; boundary=boundary")
    request = Request({**builder.get_environ(), "wsgi.input_terminated": True})
    with received_form(request, "audioFile", FolderStorage(tmp_path), 10_000, lambda: held.append(1)) as received:
        assert received.fields["task"] == "transcribe"
        assert received.n_bytes == len(SOUND)
        assert len(list((tmp_path / "incoming").iterdir())) == 1
    assert held
    assert list((tmp_path / "incoming").iterdir()) == []


def test_a_client_that_stalls_counts_as_gone():
    ours, theirs = socketpair()
    with ours, theirs:
        ours.settimeout(None)
        with stalls_end({"gunicorn.socket": ours}, after_s=0.01), pytest.raises(TimeoutError):
            ours.recv(1)
        assert ours.gettimeout() is None


def form(*pairs: tuple[str, str]):
    return load_form(CreateBatchJobForm(), MultiDict(pairs))


def test_an_empty_form_asks_for_what_is_usual():
    assert form().options == JobOptions()
    assert form().priority is Priority.NORMAL


@pytest.mark.parametrize(
    "pairs",
    [
        [("hotwords", '["Ann Lee", "Bob"]')],
        [("hotwords", "Ann Lee, Bob,, Bob ")],
        [("hotwords", "Ann Lee"), ("hotwords", "Bob")],
        [("hotwords", '["Ann Lee"]'), ("hotwords", "Bob")],
    ],
)
def test_hotwords_come_as_a_list_with_commas_or_repeated(pairs):
    assert form(*pairs).options.hotwords == ("Ann Lee", "Bob")


@pytest.mark.parametrize(
    ("said", "meant"), [("true", True), ("1", True), ("False", False), ("0", False), ("off", False)]
)
def test_yes_and_no_are_said_in_many_ways(said, meant):
    assert form(("wordTimestamps", said)).options.word_timestamps is meant


def test_a_field_given_twice_is_refused_beside_what_else_is_wrong():
    with pytest.raises(InvalidFields) as refused:
        form(("language", "fr"), ("language", "en"), ("priority", "urgent"))
    assert set(refused.value.errors) == {"language", "priority"}


def test_nested_problems_are_named_with_dots():
    nested = {"speakers": {"A": {"value": ["bad"]}}, "_schema": ["whole"], "x": ["y"]}
    assert flattened(nested) == {"speakers.A.value": ["bad"], "body": ["whole"], "x": ["y"]}


@pytest.mark.parametrize(
    ("path", "canonical"),
    [
        ("/api/batchtranscription/createJob", "/api/batchTranscription/createJob"),
        ("/api/BATCHTRANSCRIPTION", "/api/batchTranscription"),
        ("/api/Jobs/AbC/audio", "/api/jobs/AbC/audio"),
        ("/api/others/x", "/api/others/x"),
        ("/API/jobs", "/API/jobs"),
        ("/api", "/api"),
        ("", ""),
        ("/x/api/jobS", "/x/api/jobS"),
    ],
)
def test_only_the_first_segment_after_api_is_brought_into_its_case(path, canonical):
    segments = first_segments(["/api/batchTranscription/createJob", "/api/jobs/<job_id>", "/health"])
    assert CanonicalPath(lambda *_: [], segments).canonical(path) == canonical
