"""What is around every request: ids, languages, errors nobody foresaw, other origins, health, metrics, the docs."""

import json
import subprocess
import sys

import pytest
import structlog
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.domain.errors import TooManyRequests
from app.queues.presence import WorkerPresence, announce
from tests.http_api import Api, api_behind
from tests.workers import ROOT


@pytest.fixture(scope="module")
def behind(postgres_url, redis_url, tmp_path_factory):
    settings = {"CORS_ORIGINS": "https://page.example", "DEFAULT_LOCALE": "en"}
    with api_behind(postgres_url, redis_url, tmp_path_factory.mktemp("around"), **settings) as api:
        yield api


@pytest.fixture
def api(behind: Api, clean) -> Api:
    return behind


@pytest.mark.parametrize("path", ["/health/live", "/api/jobs", "/api/nothing", "/docs", "/metrics"])
def test_the_clients_request_id_comes_back(api: Api, path):
    assert api.client.get(path, headers={"X-Request-ID": "abc-1.2_3"}).headers["X-Request-ID"] == "abc-1.2_3"


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "<script>", "é"])
def test_an_id_that_is_not_sane_is_replaced(api: Api, given):
    made = api.client.get("/health/live", headers={"X-Request-ID": given}).headers["X-Request-ID"]
    assert made != given
    assert len(made) == 32


def test_the_logs_of_a_request_carry_its_id_its_job_and_no_query(api: Api):
    job_id = api.created()
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as logs:
        api.client.get(f"/api/jobs/{job_id}?token=hush", headers={"X-Request-ID": "r1"})
    (line,) = [line for line in logs if line["event"] == "request"]
    assert (line["request_id"], line["job_id"], line["method"], line["status"]) == ("r1", job_id, "GET", 200)
    assert "hush" not in json.dumps(logs)


def broken(error: Exception):
    def controller(*_: object) -> None:
        raise error

    return controller


def test_what_nobody_foresaw_tells_only_the_request_id(api: Api, monkeypatch):
    monkeypatch.setattr("app.services.jobs.catalogue.Catalogue.list_jobs", broken(RuntimeError("secret /path")))
    with structlog.testing.capture_logs() as logs:
        answer = api.client.get("/api/jobs", headers={"X-Request-ID": "r2"})
    assert (answer.status_code, answer.json["code"]) == (500, "internal_error")
    assert "r2" in answer.json["message"]
    assert "secret" not in answer.text
    assert any(line["event"] == "unforeseen_error" for line in logs)


@pytest.mark.parametrize(
    ("error", "status", "code", "retry_after"),
    [
        (PoolTimeout("QueuePool limit of size 8"), 503, "unavailable", "2"),
        (TooManyRequests(retry_after_s=7), 429, "too_many_requests", "7"),
    ],
)
def test_a_refusal_that_passes_says_when_to_come_back(api: Api, monkeypatch, error, status, code, retry_after):
    monkeypatch.setattr("app.services.jobs.catalogue.Catalogue.list_jobs", broken(error))
    answer = api.client.get("/api/jobs")
    assert (answer.status_code, answer.json["code"], answer.headers["Retry-After"]) == (status, code, retry_after)
    assert "QueuePool" not in answer.text


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [
        ("fr-CA, en;q=0.5", "fr"),
        ("en", "en"),
        ("fr;q=0, de", "en"),
        ("de, fr-CH;q=0.1", "fr"),
        ("de", "en"),
        ("", "en"),
    ],
)
def test_errors_are_in_the_language_asked_for_else_the_configured_one(api: Api, asked, spoken):
    answer = api.client.get("/api/nothing", headers={"Accept-Language": asked})
    assert answer.headers["Content-Language"] == spoken
    assert ("Il n'y a rien" in answer.json["message"]) == (spoken == "fr")


def test_pages_of_a_named_origin_may_call(api: Api):
    origin = {"Origin": "https://page.example"}
    answer = api.client.get("/api/jobs", headers=origin)
    assert answer.headers["Access-Control-Allow-Origin"] == "https://page.example"
    assert "X-Request-ID" in answer.headers["Access-Control-Expose-Headers"]
    asked = api.client.options("/api/jobs/x", headers={**origin, "Access-Control-Request-Method": "PATCH"})
    assert asked.status_code == 204
    assert "PATCH" in asked.headers["Access-Control-Allow-Methods"]


def test_pages_of_another_origin_may_not(api: Api):
    answer = api.client.get("/api/jobs", headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_health_counts_what_waits_and_who_works(api: Api):
    api.created()
    announce(api.house.client, WorkerPresence("w:1:t", "batch", 2, 1, ("j",), 5, 1, 0, 0))
    answer = api.client.get("/health")
    assert answer.status_code == 200
    assert answer.json == {
        "status": "healthy",
        "queue_size": 1,
        "database": "up",
        "redis": "up",
        "queues": answer.json["queues"],
        "workers": {"batch": {"processes": 1, "slots": 2, "busy": 1}},
    }
    queue = answer.json["queues"]["batch_queue"]
    assert (queue["waiting"], queue["running"], queue["hints"]) == (1, 0, 1)


def test_health_is_bad_without_redis(postgres_url, tmp_path, clean):
    with api_behind(postgres_url, "redis://127.0.0.1:1", tmp_path) as api:
        answer = api.client.get("/health")
    assert (answer.status_code, answer.json["status"], answer.json["redis"]) == (503, "unhealthy", "down")
    assert answer.json["database"] == "up"


def test_health_is_bad_without_the_database_but_the_process_lives(redis_url, tmp_path):
    with api_behind("postgresql://127.0.0.1:1/none", redis_url, tmp_path) as api:
        answer = api.client.get("/health")
        alive = api.client.get("/health/live")
    assert (answer.status_code, answer.json["status"], answer.json["database"]) == (503, "unhealthy", "down")
    assert (alive.status_code, alive.json) == (200, {"status": "live"})


def metric(text: str, line: str) -> float:
    return next((float(one.rsplit(" ", 1)[1]) for one in text.splitlines() if one.startswith(line)), 0.0)


def test_metrics_tell_requests_jobs_and_queues(api: Api):
    before = api.client.get("/metrics").text
    api.created()
    announce(api.house.client, WorkerPresence("w:1:t", "batch", 2, 1, ("j",), 5, 1, 0, 0))
    after = api.client.get("/metrics").text
    created = 'parloir_http_requests_total{method="POST",route="/api/batchTranscription/createJob",status="202"}'
    assert metric(after, created) == metric(before, created) + 1
    assert metric(after, 'parloir_jobs_created_total{mode="batch"}') >= 1
    assert metric(after, "parloir_upload_bytes_total") > metric(before, "parloir_upload_bytes_total")
    assert metric(after, 'parloir_queue_waiting{queue="batch_queue"}') == 1
    assert metric(after, 'parloir_queue_hints{queue="batch_queue"}') == 1
    assert 'parloir_queue_drift{queue="batch_queue"} 0.0' in after
    assert "parloir_last_hour_jobs_poisoned 0.0" in after
    assert metric(after, "parloir_storage_free_bytes") > 0
    assert metric(after, 'parloir_backing_up{service="redis"}') == 1
    assert metric(after, 'parloir_worker_slots{mode="batch"}') == 2
    assert metric(after, 'parloir_worker_runs_total{end="completed",mode="batch",worker="w:1:t"}') == 5


def test_metrics_count_addresses_by_their_pattern(api: Api):
    api.client.get("/api/jobs/one")
    api.client.get("/api/nothing/secret")
    text = api.client.get("/metrics").text
    assert 'route="/api/jobs/<job_id>"' in text
    assert "secret" not in text


def test_the_docs_need_no_other_host(api: Api):
    page = api.client.get("/docs").text
    links = [part.split('"')[0] for part in page.split('="')[1:] if part.startswith(("/", "http"))]
    assert links
    assert all(link.startswith("/docs/") for link in links)
    assert all(api.client.get(link).status_code == 200 for link in links)


@pytest.mark.parametrize("name", ["index.html", "..%2F__init__.py", "swagger-ui.js.map"])
def test_the_docs_give_only_what_they_need(api: Api, name):
    assert api.client.get(f"/docs/{name}").status_code == 404


def test_the_first_page_leads_to_the_docs(api: Api):
    answer = api.client.get("/")
    assert answer.content_type.startswith("text/html")
    assert 'href="/docs"' in answer.text


def test_the_api_loads_nothing_that_computes():
    loaded = subprocess.run(
        [sys.executable, "-c", LOAD], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    ).stdout.split()
    heavy = {
        "numpy",
        "torch",
        "whisper",
        "faster_whisper",
        "ctranslate2",
        "vosk",
        "pocketsphinx",
        "onnxruntime",
        "silero_vad",
        "av",
    }
    assert heavy & set(loaded) == set()
    assert not [name for name in loaded if name.split(".")[0] == "workers"]


LOAD = """
import sys
from app import create_api
from config import ApiConfig
app = create_api(ApiConfig.from_env({"DATABASE_URL": "postgresql://x/y", "REDIS_URL": "redis://x"}))
assert app.test_client().get("/openapi.json").status_code == 200
print(*sys.modules)
"""
