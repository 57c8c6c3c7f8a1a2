"""Settings of the operator's commands: where the service's data is."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from config.reading import InVarDir, begins_with, read, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorConfig:
    """Which servers to speak to; one that is not named is the embedded one of the var dir. Paths are absolute."""

    database_url: str | None = setting(
        "DATABASE_URL",
        "str",
        None,
        "where PostgreSQL is; unset: the one that runs in VAR_DIR",
        begins_with("postgresql://", "postgres://", "postgresql+psycopg2://"),
        secret=True,
    )
    redis_url: str | None = setting(
        "REDIS_URL",
        "str",
        None,
        "where Redis is; unset: the one that runs in VAR_DIR",
        begins_with("redis://", "rediss://", "unix://"),
        secret=True,
    )
    var_dir: Path = setting("VAR_DIR", "path", Path("var"), "folder of everything that is kept")
    storage_dir: Path = setting("STORAGE_DIR", "path", InVarDir("audio"), "folder of the recordings")

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read it from `environ` (default: this process's environment).

        Raises:
            ConfigError: values are wrong; all of them are told.
        """
        return read(cls, environ)
