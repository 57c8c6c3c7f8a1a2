"""Whatever is wrong with a request is told in one envelope, names what is wrong, and leaves nothing behind."""

import errno
import io
import json

import pytest

from tests.http_api import CREATE, NOTHING, RESULT, WAV, Api, api_behind

ONE_MB = 2**20
UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def behind(postgres_url, redis_url, tmp_path_factory):
    limit = {"MAX_UPLOAD_BYTES": str(ONE_MB)}
    with api_behind(postgres_url, redis_url, tmp_path_factory.mktemp("bad"), **limit) as api:
        yield api


@pytest.fixture
def api(behind: Api, clean) -> Api:
    for recording in behind.files():
        recording.unlink()  # its row has gone with the test that it was for
    return behind


def require_error(answer, status: int, code: str) -> dict:
    told = answer.json
    assert (answer.status_code, told["status"], told["code"]) == (status, "error", code), answer.text
    assert told["message"]
    assert answer.headers["X-Request-ID"]
    assert not any(leak in answer.text for leak in ("Traceback", "/work", "/tmp", "psycopg", "sqlalchemy"))
    return told


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"engine": "nope"}, "engine"),
        ({"model": "nope"}, "model"),
        ({"language": "x-klingon"}, "language"),
        ({"language": "ja"}, "language"),
        ({"task": "sing"}, "task"),
        ({"task": "translate"}, "task"),
        ({"engine": "pocketsphinx", "hotwords": "a,b"}, "hotwords"),
        ({"hotwords": "[1]"}, "hotwords"),
        ({"wordTimestamps": "perhaps"}, "wordTimestamps"),
        ({"priority": "urgent"}, "priority"),
        ({"priority": ["low", "high"]}, "priority"),
        ({"prompt": "x" * 4001}, "prompt"),
        ({"prompt": "a\x00b"}, "prompt"),
        ({"metadata": "[1]"}, "metadata"),
        ({"metadata": "{"}, "metadata"),
        ({"metadata": '{"a": NaN}'}, "metadata"),
        ({"metadata": '{"a": 1e999}'}, "metadata"),
        ({"metadata": '{"a": "\\u0000"}'}, "metadata"),
        ({"metadata": '{"a": "\\ud800"}'}, "metadata"),
        ({"metadata": "[" * 4000}, "metadata"),
        ({"metadata": json.dumps({"a": "é" * 2100}, ensure_ascii=False)}, "metadata"),
        ({"numSpeakers": "2"}, "numSpeakers"),
        ({"minSpeakers": "2"}, "minSpeakers"),
        ({"maxSpeakers": "2"}, "maxSpeakers"),
        ({"callbackUrl": "ftp://example.org"}, "callbackUrl"),
        ({"callbackUrl": "https://user:secret@example.org"}, "callbackUrl"),
        ({"languge": "fr"}, "languge"),
        ({"audioUrl": "https://example.org/a.mp3"}, "audioUrl"),
        ({"other": (io.BytesIO(b"x"), "b.wav")}, "other"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_wrong_value_is_named_and_leaves_nothing(api: Api, fields, field):
    told = require_error(api.create(**fields), 422, "invalid_fields")
    assert field in told["errors"]
    assert api.left_over() == NOTHING


def test_everything_that_is_wrong_is_told_at_once(api: Api):
    answer = api.create(audio=b"", priority="urgent", languge="fr", metadata="{", maxSpeakers="2")
    told = require_error(answer, 422, "invalid_fields")
    assert set(told["errors"]) == {"audioFile", "priority", "languge", "metadata", "maxSpeakers"}


def test_an_engine_that_is_not_here_and_a_missing_file_are_told_together(api: Api):
    answer = api.client.post(CREATE, data={"engine": "nope"}, content_type="multipart/form-data")
    assert set(require_error(answer, 422, "invalid_fields")["errors"]) == {"engine", "audioFile"}


def multipart(*parts: bytes, end: bytes = b"--b--\r\n") -> dict:
    body = b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + end
    return {"data": body, "content_type": "multipart/form-data; boundary=b"}


def part(header: bytes, content: bytes = b"") -> bytes:
    return b"Content-Disposition: form-data; " + header + b"\r\n\r\n" + content


RECORDING = part(b'name="audioFile"; filename="a.wav"', WAV)


@pytest.mark.parametrize(
    "form",
    [
        {"data": b"{}", "content_type": "application/json"},
        {"data": b"audioFile=x", "content_type": "application/x-www-form-urlencoded"},
        {"data": b"x", "content_type": "multipart/form-data"},
        {"data": b"x", "content_type": "multipart/form-data; boundary=b"},
        multipart(RECORDING, end=b""),
        multipart(RECORDING, end=b"--b\r\nContent-Dispo"),
        multipart(RECORDING, b"X-Nothing: 1\r\n\r\nx"),
        multipart(RECORDING, part(b"filename=x", b"x")),
        multipart(RECORDING, part(b'name="prompt"', b"\xff\xfe")),
        multipart(RECORDING, *[part(b'name="p%d"' % n) for n in range(300)]),
        multipart(RECORDING, b"X: " + b"y" * 300_000 + b"\r\n\r\n"),
    ],
    ids=["json", "urlencoded", "no-boundary", "no-form", "cut", "cut-header", "no-disposition", "no-name",
         "not-utf8", "many-parts", "long-header"],
)  # fmt: skip
def test_a_request_that_cannot_be_read_leaves_nothing(api: Api, form):
    require_error(api.client.post(CREATE, **form), 400, "bad_request")
    assert api.left_over() == NOTHING


@pytest.mark.parametrize(
    ("form", "message"),
    [
        (multipart(), "nécessaire"),
        (multipart(part(b'name="audioFile"; filename=""')), "nécessaire"),
        (multipart(part(b'name="audioFile"; filename="a.wav"')), "vide"),
        (multipart(part(b'name="audioFile"', b"text")), "texte"),
        (multipart(RECORDING, RECORDING), "plus d'une fois"),
    ],
    ids=["none", "none-chosen", "empty", "text", "two"],
)
def test_a_form_without_one_good_file_leaves_nothing(api: Api, form, message):
    told = require_error(api.client.post(CREATE, **form), 422, "invalid_fields")
    assert message in told["errors"]["audioFile"][0]
    assert api.left_over() == NOTHING


@pytest.mark.parametrize(
    "content",
    [
        b"hello",
        b"<html>",
        b"%PDF-1.7",
        b"#EXTM3U\nhttp://example.org/a.ts\n",
        b"\x89PNG\r\n\x1a\n",
        b"ffconcat version 1.0",
    ],
)
def test_what_is_no_recording_is_refused_whatever_its_name(api: Api, content):
    told = require_error(api.create(audio=content), 415, "not_audio")
    assert "wav" in told["message"]
    assert api.left_over() == NOTHING


def test_a_recording_that_is_too_large_is_refused(api: Api):
    told = require_error(api.create(audio=WAV + bytes(ONE_MB)), 413, "too_large")
    assert str(ONE_MB) in told["message"]
    assert api.left_over() == NOTHING


def test_fields_that_are_too_large_are_refused(api: Api):
    require_error(api.create(prompt="x" * 300_000), 413, "too_large")
    assert api.left_over() == NOTHING


def test_a_full_disk_is_told_and_leaves_nothing(api: Api, monkeypatch):
    def no_room(_upload: object, _data: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/secret/path")

    monkeypatch.setattr("app.services.media.folder.FolderUpload._write_all", no_room)
    told = require_error(api.create(), 503, "storage_full")
    assert "secret" not in told["message"]
    monkeypatch.undo()
    assert api.left_over() == NOTHING


@pytest.mark.parametrize("key", ["x" * 256, "a\tb"])
def test_a_key_that_cannot_be_kept_is_refused(api: Api, key):
    answer = api.create(headers={"Idempotency-Key": key})
    assert "Idempotency-Key" in require_error(answer, 422, "invalid_fields")["errors"]
    assert api.left_over() == NOTHING


def test_a_result_without_its_id_is_malformed(api: Api):
    require_error(api.client.get(RESULT), 400, "bad_request")
    require_error(api.client.get(RESULT + "?job_uuid="), 400, "bad_request")


@pytest.mark.parametrize("unknown", [UNKNOWN, "nonsense", "a\x00b"])
def test_a_result_of_an_unknown_job_is_not_found(api: Api, unknown):
    answer = api.client.get(RESULT, query_string={"job_uuid": unknown})
    assert answer.status_code in {404, 422}
    require_error(answer, answer.status_code, "not_found" if answer.status_code == 404 else "invalid_fields")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("POST", "/cancel"),
        ("POST", "/retry"),
        ("GET", "/transcript"),
        ("GET", "/audio"),
        ("GET", "/events"),
    ],
)
@pytest.mark.parametrize("job", [UNKNOWN, "nonsense", "%00", "a.b"])
def test_an_unknown_job_is_not_found(api: Api, method, path, job):
    body = {"json": {"metadata": {}}} if method == "PATCH" else {}
    require_error(api.client.open(f"/api/jobs/{job}{path}", method=method, **body), 404, "not_found")


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/api/jobs?limit=0", "limit"),
        ("/api/jobs?limit=many", "limit"),
        ("/api/jobs?limit=1&limit=2", "limit"),
        ("/api/jobs?state=DONE", "state"),
        ("/api/jobs?mode=psychic", "mode"),
        ("/api/jobs?cursor=abc", "cursor"),
        ("/api/jobs?q=%00", "q"),
        ("/api/jobs?page=2", "page"),
        (f"/api/jobs/{UNKNOWN}/transcript?format=docx", "format"),
        (f"/api/jobs/{UNKNOWN}/events?after=-1", "after"),
    ],
)
def test_a_wrong_query_is_named(api: Api, path, field):
    assert field in require_error(api.client.get(path), 422, "invalid_fields")["errors"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"data": b"{", "content_type": "application/json"}, 400),
        ({"data": b"[" * 100_000, "content_type": "application/json"}, 400),
        ({"data": b"\xff", "content_type": "application/json"}, 400),
        ({"data": b"{}", "content_type": "text/plain"}, 400),
        ({"json": []}, 422),
        ({"json": {}}, 422),
        ({"json": {"metadata": 3}}, 422),
        ({"json": {"metadata": None}}, 422),
        ({"json": {"speakers": {"A": 5}}}, 422),
        ({"json": {"speakers": {"A": "Ann"}}}, 422),
        ({"json": {"filename": "x"}}, 422),
        ({"json": {"metadata": {"a": "x" * 5000}}}, 422),
    ],
)
def test_a_wrong_change_is_refused(api: Api, body, status):
    job_id = api.created()
    answer = api.client.patch(f"/api/jobs/{job_id}", **body)
    require_error(answer, status, "bad_request" if status == 400 else "invalid_fields")


def test_a_body_where_none_is_wanted_is_limited(api: Api):
    answer = api.client.patch(f"/api/jobs/{UNKNOWN}", data=b" " * (2 * ONE_MB), content_type="application/json")
    require_error(answer, 413, "too_large")


def test_an_address_that_is_not_there(api: Api):
    require_error(api.client.get("/api/nothing"), 404, "not_found")


def test_a_method_that_is_not_taken_says_which_are(api: Api):
    answer = api.client.put("/api/jobs")
    require_error(answer, 405, "method_not_allowed")
    assert "GET" in answer.headers["Allow"]


def test_a_socket_address_without_a_handshake_is_malformed(api: Api):
    require_error(api.client.get(f"/api/jobs/{UNKNOWN}/ws"), 400, "bad_request")


def test_a_live_session_that_no_worker_has_room_for_is_refused_and_leaves_nothing(api: Api):
    answer = api.client.post("/api/streamingTranscription/createJob", json={"engine": "pocketsphinx"})
    require_error(answer, 503, "no_capacity")
    assert int(answer.headers["Retry-After"]) > 0
    assert api.left_over() == NOTHING
