"""Settings of the launcher: those of everything it starts."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from config.api import ApiConfig
from config.base import BaseConfig
from config.reading import ConfigError
from config.worker import WorkerConfig

# Stand in for the servers that are not there yet, so that all other settings can be checked before anything starts.
NOT_YET = {"DATABASE_URL": "postgresql://embedded", "REDIS_URL": "redis://embedded"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchConfig:
    """What to start. A server whose URL is not set is embedded."""

    api: ApiConfig
    has_postgres: bool
    has_redis: bool
    environ: Mapping[str, str] = field(repr=False)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read it from `environ` (default: this process's environment).

        Raises:
            ConfigError: values that the API or a worker needs are wrong; all of them are told.
        """
        given = {key: value for key, value in (os.environ if environ is None else environ).items() if value}
        api = _checked(ApiConfig, WorkerConfig, NOT_YET | given)
        return cls(api=api, has_postgres="DATABASE_URL" in given, has_redis="REDIS_URL" in given, environ=given)

    def child_environ(self, *, database_url: str, redis_url: str) -> dict[str, str]:
        """The environment for the API and the workers."""
        servers = {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "VAR_DIR": str(self.api.var_dir)}
        return {**self.environ, **servers}


def _checked(config: type[ApiConfig], other: type[BaseConfig], environ: Mapping[str, str]) -> ApiConfig:
    """The config; the problems of both are told together."""
    problems: list[str] = []
    read: ApiConfig | None = None
    try:
        read = config.from_env(environ)
    except ConfigError as error:
        problems += error.problems
    try:
        other.from_env(environ)
    except ConfigError as error:
        problems += error.problems
    if read is None or problems:
        raise ConfigError(problems)
    return read
