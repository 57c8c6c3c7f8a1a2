"""What the launcher embeds, and what it hands to those it starts."""

from pathlib import Path

import pytest

from config import ApiConfig, ConfigError, LaunchConfig


def test_a_server_without_a_url_is_embedded():
    config = LaunchConfig.from_env({"REDIS_URL": "redis://cache", "DATABASE_URL": ""})
    assert (config.has_postgres, config.has_redis) == (False, True)


def test_the_children_get_the_servers_the_var_dir_and_all_that_was_set(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    config = LaunchConfig.from_env({"VAR_DIR": "here", "PORT": "8123", "HTTPS_PROXY": "http://proxy"})
    environ = config.child_environ(database_url="postgresql://x", redis_url="redis://x")
    child = ApiConfig.from_env(environ)
    assert (child.database_url, child.redis_url, child.port) == ("postgresql://x", "redis://x", 8123)
    assert child.var_dir == tmp_path / "here" == Path(environ["VAR_DIR"])
    assert environ["HTTPS_PROXY"] == "http://proxy"


def test_what_is_wrong_for_the_api_and_for_the_workers_is_told_together_and_once():
    with pytest.raises(ConfigError) as raised:
        LaunchConfig.from_env({"PORT": "http", "CONCURRENCY": "0", "LOG_LEVEL": "LOUD"})
    assert sorted(line.partition(":")[0] for line in raised.value.problems) == ["CONCURRENCY", "LOG_LEVEL", "PORT"]
