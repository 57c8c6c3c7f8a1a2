"""How often one may ask."""

import pytest
from redis import Redis

from app.queues.buckets import Buckets, Limit
from tests.http_api import Api, api_behind

KEY = "the key of the administrators"
GUESS = {"X-API-Key": "the key of somebody else"}
ADMIN_PAGE = "/api/admin/dead"


@pytest.fixture
def redis(clean, redis_url):
    with Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def limited(clean, postgres_url, redis_url, tmp_path):
    settings = {"RATE_LIMIT_PER_MIN": "3", "INTERNAL_API_KEY": KEY, "DEFAULT_LOCALE": "en"}
    with api_behind(postgres_url, redis_url, tmp_path, **settings) as api:
        yield api


def statuses(api: Api, n: int, path: str = "/api/jobs", **options) -> list[int]:
    return [api.client.get(path, **options).status_code for _ in range(n)]


def test_a_client_that_asks_too_often_is_told_when_to_come_back(limited: Api):
    assert statuses(limited, 4) == [200, 200, 200, 429]
    answer = limited.client.get("/api/jobs")
    assert answer.json["code"] == "too_many_requests"
    assert 1 <= int(answer.headers["Retry-After"]) <= 20
    assert f"in {answer.headers['Retry-After']} s" in answer.json["message"]


def test_each_client_has_a_limit_of_its_own(limited: Api):
    statuses(limited, 4)
    other = {"REMOTE_ADDR": "192.0.2.7"}
    assert statuses(limited, 4, environ_base=other) == [200, 200, 200, 429]


def test_administrators_probes_and_scrapes_are_not_limited(limited: Api):
    statuses(limited, 4)
    assert statuses(limited, 5, headers={"X-API-Key": KEY}) == [200] * 5
    for path in ("/health/live", "/health", "/metrics"):
        assert statuses(limited, 5, path) == [200] * 5


def test_an_upload_that_is_refused_leaves_nothing_behind(limited: Api):
    statuses(limited, 3)
    assert limited.create().status_code == 429
    assert limited.files() == []


def test_without_redis_nobody_is_limited(postgres_url, tmp_path):
    nobody = f"unix://{tmp_path}/nobody.sock"
    with api_behind(postgres_url, nobody, tmp_path, RATE_LIMIT_PER_MIN="1", INTERNAL_API_KEY=KEY) as api:
        assert statuses(api, 3) == [200] * 3
        assert statuses(api, 15, ADMIN_PAGE, headers=GUESS) == [401] * 15


def test_wrong_keys_are_soon_refused_and_the_right_one_never(clean, postgres_url, redis_url, tmp_path):
    with api_behind(postgres_url, redis_url, tmp_path, INTERNAL_API_KEY=KEY) as api:
        assert statuses(api, 12, ADMIN_PAGE, headers=GUESS) == [401] * 10 + [429] * 2
        assert statuses(api, 1, ADMIN_PAGE, headers={"X-API-Key": KEY}) == [200]
        assert statuses(api, 1, ADMIN_PAGE) == [401], "whoever sends no key does not guess"
        assert statuses(api, 20) == [200] * 20, "by default nothing else is limited"


def test_a_key_that_no_page_asked_for_is_no_guess(clean, postgres_url, redis_url, tmp_path):
    with api_behind(postgres_url, redis_url, tmp_path, INTERNAL_API_KEY=KEY) as api:
        assert statuses(api, 15, headers=GUESS) == [200] * 15


def test_a_bucket_fills_by_itself_up_to_its_size(redis):
    buckets, limit = Buckets(redis), Limit("test", 2)
    assert [buckets.spend(limit, "me") for _ in range(2)] == [0, 0]
    assert 0 < buckets.spend(limit, "me") <= 30
    assert buckets.look(limit, "me") > 0
    shift_ms(redis, "limit:test:me", -30_000)
    assert (buckets.spend(limit, "me"), buckets.spend(limit, "me") > 0) == (0, True)
    shift_ms(redis, "limit:test:me", -3_600_000)
    assert [buckets.spend(limit, "me") > 0 for _ in range(3)] == [False, False, True], "it holds no more than two"


def test_a_look_takes_nothing_and_a_full_bucket_takes_no_room(redis):
    buckets, limit = Buckets(redis), Limit("test", 60)
    assert [buckets.look(limit, "me") for _ in range(100)] == [0] * 100
    assert redis.keys() == []
    buckets.spend(limit, "me")
    assert 0 < redis.pttl("limit:test:me") <= 1000


def shift_ms(redis: Redis, key: str, by_ms: int) -> None:
    """As if so much time had passed."""
    redis.set(key, int(redis.get(key)) + by_ms, keepttl=True)
