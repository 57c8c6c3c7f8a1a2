"""The API as gunicorn serves it: uploads in constant memory, clients that hang up, streams of events, sockets."""

import json
import threading
import time

import httpx
import pytest
from simple_websocket import Client, ConnectionClosed
from simple_websocket import ConnectionError as HandshakeRefused

from app.domain.job import SEQ_PER_ATTEMPT
from app.domain.states import JobState
from app.queues.events import Event
from tests.factories import House, make_transcript
from tests.http_api import CREATE, RESULT, WAV, ServedApi
from tests.workers import wait_for

MB = 2**20


@pytest.fixture(scope="module")
def served(postgres_url, redis_url, tmp_path_factory):
    with ServedApi(postgres_url, redis_url, tmp_path_factory.mktemp("served"), MAX_UPLOAD_BYTES=str(300 * MB)) as api:
        yield api


def create(served: ServedApi, **options) -> httpx.Response:
    return httpx.post(served.url + CREATE, timeout=60, **{"files": {"audioFile": ("a.wav", WAV)}, **options})


def created(served: ServedApi) -> str:
    return str(create(served).json()["data"]["job_uuid"])


def rows(served: ServedApi) -> list[dict]:
    return httpx.get(f"{served.url}/api/jobs").json()["data"]["jobs"]


def head(content_length: int | None, **headers: str) -> bytes:
    length = {} if content_length is None else {"Content-Length": str(content_length)}
    given = {"Host": "x", "Content-Type": "multipart/form-data; boundary=b", **length, **headers}
    lines = [f"POST {CREATE} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


FILE_PART = b'--b\r\nContent-Disposition: form-data; name="audioFile"; filename="a.wav"\r\n\r\n'

SMALL_FORM = FILE_PART + WAV + b"\r\n--b--\r\n"


def big_recording(n_mb: int):
    yield FILE_PART + WAV
    for _ in range(n_mb):
        yield bytes(MB)
    yield b"\r\n--b--\r\n"


def test_a_recording_handed_in_is_there_to_be_heard(house: House, served: ServedApi):
    job_id = created(served)
    assert httpx.get(f"{served.url}/api/jobs/{job_id}/audio").content == WAV
    result = httpx.get(served.url + RESULT, params={"job_uuid": job_id}).json()["data"]
    assert (result["status"], result["position"]) == ("QUEUED", 1)


def test_a_large_upload_adds_little_memory(house: House, served: ServedApi):
    created(served)
    before_mb, peak_mb = served.rss_mb(), 0.0
    done = threading.Event()

    def look() -> None:
        nonlocal peak_mb
        while not done.wait(0.05):
            peak_mb = max(peak_mb, served.rss_mb())

    watcher = threading.Thread(target=look)
    watcher.start()
    answer = httpx.post(
        served.url + CREATE,
        content=big_recording(200),
        headers={"Content-Type": "multipart/form-data; boundary=b"},
        timeout=100,
    )
    done.set()
    watcher.join()
    assert answer.status_code == 202, answer.text
    assert max(path.stat().st_size for path in served.files()) == 200 * MB + len(WAV)
    assert peak_mb - before_mb < 40


def test_the_process_fits_its_budget(served: ServedApi):
    assert served.rss_mb() < 120 + 40


def test_others_are_answered_while_an_upload_goes_on(house: House, served: ServedApi):
    with served.connect() as slow:
        slow.sendall(head(10 * MB) + FILE_PART + WAV)
        assert httpx.get(f"{served.url}/health/live", timeout=10).is_success


def test_a_client_that_hangs_up_leaves_nothing(house: House, served: ServedApi):
    before = served.files()
    with served.connect() as client:
        client.sendall(head(10 * MB, **{"Idempotency-Key": "gone"}) + FILE_PART + WAV + bytes(MB))
        wait_for(lambda: len(served.files()) > len(before))
        assert house.client.exists("idempotency:default:gone")
    wait_for(lambda: served.files() == before)
    wait_for(lambda: not house.client.exists("idempotency:default:gone"))
    assert rows(served) == []


def test_a_key_is_refused_while_its_first_request_comes_in(house: House, served: ServedApi):
    key = {"Idempotency-Key": "twice"}
    with served.connect() as slow:
        slow.sendall(head(len(SMALL_FORM), **key) + SMALL_FORM[:-9])
        wait_for(lambda: house.client.exists("idempotency:default:twice"))
        assert create(served, headers=key).json()["code"] == "idempotency_key_in_use"
        slow.sendall(SMALL_FORM[-9:])
        assert slow.makefile("rb").readline().startswith(b"HTTP/1.1 202")
    assert create(served, headers=key).headers["Idempotency-Replayed"] == "true"
    assert len(rows(served)) == 1


def test_an_upload_said_to_be_too_large_is_refused_before_it_comes(house: House, served: ServedApi):
    with served.connect() as client:
        client.sendall(head(10**12))
        answer = client.makefile("rb")
        assert answer.readline().startswith(b"HTTP/1.1 413")
        assert any(b'"code":"too_large"' in line for line in answer)
    assert rows(served) == []


def test_an_upload_that_turns_out_too_large_is_dropped(house: House, postgres_url, redis_url, tmp_path):
    with ServedApi(postgres_url, redis_url, tmp_path, MAX_UPLOAD_BYTES=str(MB)) as small:
        answer = httpx.post(
            small.url + CREATE,
            content=big_recording(3),
            headers={"Content-Type": "multipart/form-data; boundary=b"},
            timeout=30,
        )
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
        assert small.files() == []
        assert rows(small) == []


def test_events_come_as_they_happen_until_the_end(house: House, served: ServedApi):
    job_id = created(served)
    with httpx.stream("GET", f"{served.url}/api/jobs/{job_id}/events", timeout=20) as stream:
        lines = stream.iter_lines()
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        assert next(lines) == "retry: 2000"
        assert next_event(lines)["state"] == "QUEUED"
        job = house.claim(job_id)
        assert next_event(lines)["state"] == "PROCESSING"
        house.narrator.tell(Event(job_id, SEQ_PER_ATTEMPT + 1, "segment", {"segment": {"text": "hello"}}))
        heard = next_event(lines)
        assert (heard["type"], heard["segment"], heard["job_id"]) == ("segment", {"text": "hello"}, job_id)
        house.endings.complete(job, make_transcript())
        assert next_event(lines)["type"] == "completed"
        assert [line for line in lines if line] == []


def next_event(lines) -> dict:
    for line in lines:
        if line.startswith("data: "):
            return json.loads(line.removeprefix("data: "))
    raise AssertionError("the stream ended")


def test_events_go_on_after_the_last_that_was_heard(house: House, served: ServedApi):
    job = house.claim(created(served))
    for n in (1, 2, 3):
        house.narrator.tell(Event(job.id, SEQ_PER_ATTEMPT + n, "segment", {"n": n}))
    after = {"Last-Event-ID": str(SEQ_PER_ATTEMPT + 2)}
    with httpx.stream("GET", f"{served.url}/api/jobs/{job.id}/events", headers=after, timeout=20) as stream:
        told = iter_events(stream.iter_lines())
        seen = next(event for event in told if event["type"] == "segment")
    assert seen["n"] == 3


def iter_events(lines):
    while True:
        yield next_event(lines)


def test_a_reader_that_has_heard_the_end_is_told_not_to_come_back(house: House, served: ServedApi):
    job_id = created(served)
    end = httpx.post(f"{served.url}/api/jobs/{job_id}/cancel").json()["data"]
    assert end["status"] == JobState.CANCELLED
    told = httpx.get(f"{served.url}/api/jobs/{job_id}/events")
    seq = next(line for line in told.text.splitlines() if line.startswith("id: ")).removeprefix("id: ")
    again = httpx.get(f"{served.url}/api/jobs/{job_id}/events", headers={"Last-Event-ID": seq})
    assert again.status_code == 204


def ws_url(served: ServedApi, job_id: str) -> str:
    return f"ws://127.0.0.1:{served.port}/api/jobs/{job_id}/ws"


def test_a_socket_tells_the_same_events(house: House, served: ServedApi):
    job_id = created(served)
    socket = Client.connect(ws_url(served, job_id))
    assert json.loads(socket.receive(timeout=10))["state"] == "QUEUED"
    job = house.claim(job_id)
    assert json.loads(socket.receive(timeout=10))["state"] == "PROCESSING"
    house.endings.complete(job, make_transcript())
    last = json.loads(socket.receive(timeout=10))
    assert (last["type"], last["job_id"]) == ("completed", job_id)
    with pytest.raises(ConnectionClosed):
        socket.receive(timeout=10)


@pytest.mark.parametrize("unknown", ["nonsense", "00000000-0000-4000-8000-000000000000"])
def test_a_socket_for_an_unknown_job_is_refused_before_it_opens(house: House, served: ServedApi, unknown):
    with pytest.raises(HandshakeRefused) as refusal:
        Client.connect(ws_url(served, unknown))
    assert refusal.value.status_code == 404


def test_a_large_event_reaches_a_socket_whole(house: House, served: ServedApi):
    job = house.claim(created(served))
    socket = Client.connect(ws_url(served, job.id))
    socket.receive(timeout=10)
    text = "word " * 400_000
    house.narrator.tell(Event(job.id, SEQ_PER_ATTEMPT + 1, "segment", {"segment": {"text": text}}))
    time.sleep(0.5)
    heard = json.loads(socket.receive(timeout=20))
    assert heard["segment"]["text"] == text
    socket.close()


def test_a_socket_whose_job_is_deleted_is_told_and_closed(house: House, served: ServedApi):
    job_id = created(served)
    socket = Client.connect(ws_url(served, job_id))
    socket.receive(timeout=10)
    httpx.delete(f"{served.url}/api/jobs/{job_id}")
    told = json.loads(socket.receive(timeout=10))
    assert (told["type"], told["code"]) == ("error", "not_found")
    with pytest.raises(ConnectionClosed) as closed:
        socket.receive(timeout=10)
    assert closed.value.reason == 1011


def test_a_socket_that_is_gone_is_noticed(house: House, served: ServedApi):
    job_id = created(served)
    socket = Client.connect(ws_url(served, job_id))
    socket.receive(timeout=10)
    assert f"/api/jobs/{job_id}/ws" not in served.told()
    socket.close()
    wait_for(lambda: f"/api/jobs/{job_id}/ws" in served.told())


def test_metrics_are_those_of_all_processes(house: House, postgres_url, redis_url, tmp_path):
    live = 'parloir_http_requests_total{method="GET",route="/health/live",status="200"}'
    with ServedApi(postgres_url, redis_url, tmp_path, API_PROCESSES="2") as api:
        for _ in range(20):
            httpx.get(f"{api.url}/health/live")
        text = httpx.get(f"{api.url}/metrics").text
    counted = next(float(line.split()[-1]) for line in text.splitlines() if line.startswith(live))
    assert counted >= 20
    assert 'parloir_queue_waiting{queue="batch_queue"} 0.0' in text


def test_nothing_went_wrong_unseen(served: ServedApi):
    assert "unforeseen_error" not in served.told()
    assert "Traceback" not in served.told()
