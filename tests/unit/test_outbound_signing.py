"""Signatures as the standard has them, keys that are kept, and the plan of tries."""

import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.services.delivery.key_file import kept_secret
from app.services.delivery.schedule import WAITS_S, wait_s
from app.services.delivery.signing import key_of, signed_headers
from config import ConfigError, WorkerConfig

SERVERS = {"DATABASE_URL": "postgresql://me:pw@db/parloir", "REDIS_URL": "redis://cache:6379/0"}


def test_the_example_of_the_standard_is_signed_as_it_says():
    key = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = signed_headers(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_a_secret_may_be_any_text():
    assert key_of("correct horse battery") == b"correct horse battery"


def test_a_spoilt_secret_is_an_error():
    with pytest.raises(ValueError, match="base64"):
        key_of("whsec_not base64!")


def test_a_key_is_made_once_and_kept_for_us_only(tmp_path):
    path = tmp_path / "secrets" / "webhook.key"
    with ThreadPoolExecutor(8) as pool:
        secrets = set(pool.map(lambda _: kept_secret(path), range(16)))
    assert len(secrets) == 1
    assert kept_secret(path) in secrets
    assert len(key_of(secrets.pop())) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [one.name for one in path.parent.iterdir()] == ["webhook.key"]


def test_tries_spread_over_about_a_day_and_end():
    assert 18 * 3600 < sum(WAITS_S) < 26 * 3600
    assert list(WAITS_S) == sorted(WAITS_S)
    assert len(WAITS_S) + 1 == 12
    assert wait_s(len(WAITS_S)) is not None
    assert wait_s(len(WAITS_S) + 1) is None


def test_messages_that_failed_together_do_not_come_back_together():
    waits = [wait_s(3) for _ in range(50)]
    assert len(set(waits)) > 1
    assert all(0.8 * WAITS_S[2] <= wait <= 1.2 * WAITS_S[2] for wait in waits)


def test_production_needs_a_secret():
    with pytest.raises(ConfigError, match="WEBHOOK_SECRET"):
        WorkerConfig.from_env(SERVERS | {"ENVIRONMENT": "production"})
    secret = {"WEBHOOK_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
    assert WorkerConfig.from_env(SERVERS | {"ENVIRONMENT": "production"} | secret).webhook_secret


@pytest.mark.parametrize("secret", ["short", "whsec_this is not base64"])
def test_a_secret_that_cannot_sign_well_is_refused_and_not_repeated(secret):
    with pytest.raises(ConfigError, match="WEBHOOK_SECRET") as raised:
        WorkerConfig.from_env(SERVERS | {"WEBHOOK_SECRET": secret})
    assert secret not in str(raised.value)


def test_the_secret_stays_out_of_the_repr():
    assert "hunter2hunter2hunter2" not in repr(
        WorkerConfig.from_env(SERVERS | {"WEBHOOK_SECRET": "hunter2hunter2hunter2"})
    )


def test_nothing_private_is_reached_unless_it_is_allowed():
    config = WorkerConfig.from_env(SERVERS)
    assert (config.allow_private_urls, config.url_hosts) == (False, ())
    config = WorkerConfig.from_env(SERVERS | {"ALLOW_PRIVATE_URLS": "true", "URL_HOSTS": "a.test, *.b.test"})
    assert (config.allow_private_urls, config.url_hosts) == (True, ("a.test", "*.b.test"))
