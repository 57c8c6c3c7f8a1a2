"""Dead letters and deliveries over HTTP."""

import pytest
from sqlalchemy import func, update

from app.models import Delivery
from tests.dead_letters import TRACEBACK, failed
from tests.factories import make_transcript
from tests.http_api import Api, api_behind

KEY = "an-internal-key-of-good-length"
ADMIN = {"X-API-Key": KEY, "Accept-Language": "en"}
HOOK = "https://receiver.test/hook?token=hunter2"
ADDRESSES = [
    ("GET", "/api/admin/dead"),
    ("GET", "/api/admin/jobs/11111111-1111-1111-1111-111111111111/errors"),
    ("POST", "/api/admin/dead/replay"),
    ("POST", "/api/admin/dead/purge"),
]


@pytest.fixture(scope="module")
def behind(postgres_url, redis_url, tmp_path_factory):
    with api_behind(postgres_url, redis_url, tmp_path_factory.mktemp("admin"), INTERNAL_API_KEY=KEY) as api:
        yield api


@pytest.fixture
def api(behind: Api, clean) -> Api:
    return behind


def listed(api: Api, **query) -> list[str]:
    answer = api.client.get("/api/admin/dead", query_string=query, headers=ADMIN)
    assert answer.status_code == 200, answer.text
    return [job["job_id"] for job in answer.json["data"]["jobs"]]


def order(api: Api, what: str, **body):
    return api.client.post(f"/api/admin/dead/{what}", json=body, headers=ADMIN)


@pytest.mark.parametrize(("method", "path"), ADDRESSES)
def test_without_the_key_nobody_passes_and_is_told_in_the_envelope(api: Api, method, path):
    for headers in ({}, {"X-API-Key": "a-wrong-one-of-good-length"}, {"X-API-Key": "ü"}, {"X-API-Key": ""}):
        answer = api.client.open(path, method=method, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("ApiKey")
        assert (answer.json["status"], answer.json["code"]) == ("error", "unauthenticated")
        assert "clé" in answer.json["message"]


def test_where_no_key_is_set_nobody_is_an_administrator(clean, postgres_url, redis_url, tmp_path):
    with api_behind(postgres_url, redis_url, tmp_path) as api:
        for method, path in ADDRESSES:
            for headers in ({}, ADMIN, {"X-API-Key": "", "Accept-Language": "en"}):
                answer = api.client.open(path, method=method, headers=headers)
                assert answer.status_code == 403
                assert answer.json["code"] == "forbidden"


def test_a_wrong_key_changes_nothing_for_everybody_else(api: Api):
    assert api.client.get("/api/jobs", headers={"X-API-Key": "whatever"}).status_code == 200


def test_administrators_list_what_failed_in_all_projects(api: Api):
    job_id = failed(api.house, project_id="one")
    other = failed(api.house, project_id="two", hours_ago=2)
    assert listed(api) == [job_id, other]
    assert listed(api, project="two", code="media_empty", older_than=3600) == [other]
    assert listed(api, newer_than=3600) == [job_id]
    page = api.client.get("/api/admin/dead", query_string={"limit": 1}, headers=ADMIN).json["data"]
    assert listed(api, limit=1, cursor=page["next_cursor"]) == [other]
    job = page["jobs"][0]
    assert (job["project"], job["status"], job["attempt"], job["failures"]) == ("one", "FAILED", 1, 1)
    assert job["error"]["code"] == "media_empty"
    assert job["error"]["message"] == "The recording holds no sound: no bytes."


def test_administrators_read_the_errors_of_a_job_without_secrets(api: Api):
    job_id = failed(api.house, detail=TRACEBACK, project_id="one")
    answer = api.client.get(f"/api/admin/jobs/{job_id}/errors", headers=ADMIN)
    (error,) = answer.json["data"]["errors"]
    assert (error["attempt"], error["kind"], error["worker"]) == (1, "failure", "test-worker")
    assert "RuntimeError" in error["detail"]
    assert "hunter2" not in answer.text
    assert api.client.get("/api/admin/jobs/nonsense/errors", headers=ADMIN).status_code == 404


def test_administrators_have_jobs_done_again(api: Api):
    job_id, waiting = failed(api.house, project_id="one"), api.house.add_job()
    data = order(api, "replay", ids=[job_id, waiting]).json["data"]
    assert (data["done"], data["has_more"]) == ([job_id], False)
    assert [(one["job_id"], one["code"]) for one in data["refused"]] == [(waiting, "conflict")]
    assert api.house.row(job_id).state == "QUEUED"
    again = failed(api.house)
    assert order(api, "replay", all=True, code="media_unreadable").json["data"]["done"] == []
    assert order(api, "replay", all=True).json["data"]["done"] == [again]


def test_administrators_remove_jobs_for_good(api: Api):
    old, young, named = failed(api.house, hours_ago=48), failed(api.house), failed(api.house)
    assert order(api, "purge", ids=[named]).json["data"]["done"] == [named]
    assert order(api, "purge", all=True, older_than=24 * 3600).json["data"]["done"] == [old]
    assert listed(api) == [young]


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("replay", {}),
        ("replay", {"ids": []}),
        ("replay", {"ids": ["x"], "all": True}),
        ("replay", {"ids": ["x"], "code": "media_empty"}),
        ("replay", {"all": "yes"}),
        ("replay", {"all": True, "older_than": 1e300}),
        ("replay", {"every": True}),
        ("purge", {"all": True}),
        ("purge", {"all": True, "older_than": -1}),
    ],
)
def test_an_order_that_is_not_clear_is_refused_and_nothing_happens(api: Api, what, body):
    job_id = failed(api.house)
    answer = order(api, what, **body)
    assert answer.status_code == 422, answer.text
    assert answer.json["errors"]
    assert api.house.row(job_id).state == "FAILED"


def test_a_body_that_is_no_json_is_refused(api: Api):
    assert api.client.post("/api/admin/dead/replay", data="{", headers=ADMIN).status_code == 400


def test_a_job_whose_recording_is_gone_is_not_tried_again(api: Api):
    job_id = failed(api.house)
    api.house.change(job_id, audio_key=None)
    answer = api.client.post(f"/api/jobs/{job_id}/retry", headers={"Accept-Language": "en"})
    assert (answer.status_code, answer.json["code"]) == (409, "recording_removed")
    assert api.client.get(f"/api/jobs/{job_id}/audio").status_code == 404


def delivered(api: Api, **columns) -> str:
    job_id = api.house.add_job(callback_url=HOOK, **columns)
    api.house.endings.complete(api.house.claim(job_id), make_transcript())
    return job_id


def test_the_deliveries_of_a_job_are_told_without_the_secrets_of_its_url(api: Api):
    job_id = delivered(api)
    answer = api.client.get(f"/api/jobs/{job_id}/deliveries")
    (one,) = answer.json["data"]["deliveries"]
    assert (one["job_id"], one["type"], one["status"], one["attempts"], one["tries"]) == (
        job_id,
        "job.completed",
        "PENDING",
        0,
        [],
    )
    assert one["url"] == "https://receiver.test/hook"
    assert "hunter2" not in answer.text


def test_a_delivery_that_was_given_up_is_sent_again(api: Api):
    job_id = delivered(api)
    with api.house.database.work() as work:
        work.session.execute(update(Delivery).values(state="FAILED", attempts=9, next_at=func.now()))
    (one,) = api.client.get(f"/api/jobs/{job_id}/deliveries").json["data"]["deliveries"]
    assert (one["status"], one["next_at"]) == ("FAILED", None)
    answer = api.client.post(f"/api/jobs/{job_id}/deliveries/{one['delivery_id']}/resend")
    assert answer.status_code == 200
    again = answer.json["data"]
    assert (again["delivery_id"], again["status"], again["attempts"]) == (one["delivery_id"], "PENDING", 0)
    assert again["next_at"] is not None


def test_deliveries_of_others_and_unknown_ones_are_not_found(api: Api):
    job_id, other = delivered(api), delivered(api, project_id="other")
    assert api.client.get(f"/api/jobs/{other}/deliveries").status_code == 404
    for bad in ("nonsense", job_id):
        answer = api.client.post(f"/api/jobs/{job_id}/deliveries/{bad}/resend")
        assert (answer.status_code, answer.json["code"]) == (404, "not_found")
