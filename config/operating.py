"""Settings of the commands that look at a running service."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from config.reading import begins_with, read, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatingConfig:
    """Where the service is. A server whose URL is not set is the embedded one of the var dir."""

    database_url: str | None = setting(
        "DATABASE_URL",
        "str",
        None,
        "where PostgreSQL is; unset: the embedded one of VAR_DIR",
        begins_with("postgresql://", "postgres://", "postgresql+psycopg2://"),
        secret=True,
    )
    redis_url: str | None = setting(
        "REDIS_URL",
        "str",
        None,
        "where Redis is; unset: the embedded one of VAR_DIR",
        begins_with("redis://", "rediss://", "unix://"),
        secret=True,
    )
    var_dir: Path = setting("VAR_DIR", "path", Path("var"), "folder of everything that is kept")

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read it from `environ` (default: this process's environment).

        Raises:
            ConfigError: values are wrong; all of them are told.
        """
        return read(cls, environ)
