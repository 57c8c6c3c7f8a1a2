"""How settings are read: all problems at once, nothing but the environment given, no secret shown."""

import dataclasses
from pathlib import Path

import pytest

from config import SETTINGS, ApiConfig, ConfigError, WorkerConfig

SERVERS = {"DATABASE_URL": "postgresql://me:pw@db/parloir", "REDIS_URL": "redis://cache:6379/0"}


def test_all_that_is_wrong_is_told_in_one_error():
    with pytest.raises(ConfigError) as raised:
        ApiConfig.from_env({"PORT": "http", "LOG_LEVEL": "LOUD", "MAX_ATTEMPTS": "0"})
    told = " ".join(raised.value.problems)
    assert len(raised.value.problems) == 5
    for name in ("DATABASE_URL", "REDIS_URL", "PORT", "LOG_LEVEL", "MAX_ATTEMPTS"):
        assert f"{name}: " in told


def test_a_missing_server_says_that_make_run_brings_one():
    with pytest.raises(ConfigError, match=r"DATABASE_URL: .*make run"):
        ApiConfig.from_env({"REDIS_URL": "redis://x"})


def test_a_wrong_url_is_not_repeated_for_it_may_hold_a_password():
    with pytest.raises(ConfigError) as raised:
        ApiConfig.from_env({"DATABASE_URL": "mysql://me:hunter2@db", "REDIS_URL": "redis://x"})
    assert "hunter2" not in str(raised.value)


def test_passwords_stay_out_of_the_repr():
    assert "pw" not in repr(ApiConfig.from_env(SERVERS))


def test_an_empty_variable_is_an_unset_one():
    assert ApiConfig.from_env(SERVERS | {"PORT": "", "PUBLIC_URL": ""}).port == 8000


def test_folders_follow_the_var_dir_unless_they_are_named():
    config = ApiConfig.from_env(SERVERS | {"VAR_DIR": "/data", "WEIGHTS_DIR": "/models"})
    assert config.storage_dir == Path("/data/audio")
    assert config.metrics_dir == Path("/data/metrics")
    assert config.weights_dir == Path("/models")


def test_paths_are_absolute_from_the_first(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert WorkerConfig.from_env(SERVERS | {"VAR_DIR": "here"}).var_dir == tmp_path / "here"


def test_a_list_is_read_with_or_without_spaces():
    assert ApiConfig.from_env(SERVERS | {"CORS_ORIGINS": "https://a, https://b"}).cors_origins == (
        "https://a",
        "https://b",
    )


def test_a_lease_must_outlast_some_missed_beats():
    with pytest.raises(ConfigError, match="LEASE_S"):
        WorkerConfig.from_env(SERVERS | {"LEASE_S": "4", "BEAT_S": "3"})


def test_a_config_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        ApiConfig.from_env(SERVERS).port = 1


def test_only_what_holds_a_password_has_no_default():
    assert {one.name for one in SETTINGS if one.default is ...} == {"DATABASE_URL", "REDIS_URL"}


def test_every_setting_says_what_it_means():
    assert all(len(one.meaning) > 10 for one in SETTINGS)
    assert len({one.name for one in SETTINGS}) == len(SETTINGS)
