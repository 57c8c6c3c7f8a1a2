"""Settings that every process of the service has."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from marshmallow.validate import OneOf, Range

from config.reading import REQUIRED, ConfigError, InVarDir, begins_with, read, setting

GIB = 1024**3
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


class _FitForReader:
    """A log format by who reads: people at a terminal, else programs."""

    def __call__(self, _values: Mapping[str, Any]) -> str:
        return "console" if sys.stderr.isatty() else "json"

    def __str__(self) -> str:
        return "console on a terminal, else json"


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseConfig:
    """What the API and the workers both need. Paths are absolute; times are seconds."""

    database_url: str = setting(
        "DATABASE_URL",
        "str",
        REQUIRED,
        "where PostgreSQL is; `make run` brings its own",
        begins_with("postgresql://", "postgres://", "postgresql+psycopg2://"),
        secret=True,
    )
    redis_url: str = setting(
        "REDIS_URL",
        "str",
        REQUIRED,
        "where Redis is; `make run` brings its own",
        begins_with("redis://", "rediss://", "unix://"),
        secret=True,
    )
    var_dir: Path = setting("VAR_DIR", "path", Path("var"), "folder of everything that is kept")
    storage_dir: Path = setting("STORAGE_DIR", "path", InVarDir("audio"), "folder of the recordings")
    max_upload_bytes: int = setting("MAX_UPLOAD_BYTES", "int", 4 * GIB, "largest upload taken", Range(min=1))
    weights_dir: Path = setting("WEIGHTS_DIR", "path", InVarDir("weights"), "folder of the engines' weights")
    hf_token: str | None = setting(
        "HF_TOKEN", "str", None, "token of Hugging Face that may read pyannote's weights", secret=True
    )
    log_format: str = setting(
        "LOG_FORMAT",
        "str",
        _FitForReader(),
        "`console` for people, `json` for programs",
        OneOf(("console", "json")),
    )
    log_level: str = setting("LOG_LEVEL", "str", "INFO", "least level that is logged", OneOf(LOG_LEVELS))
    environment: str = setting(
        "ENVIRONMENT", "str", "development", "where this runs", OneOf(("development", "production"))
    )
    default_engine: str = setting(
        "DEFAULT_ENGINE",
        "str",
        "auto",
        "engine for jobs that name none; `auto` takes the best whose weights are here",
    )
    default_language: str | None = setting(
        "DEFAULT_LANGUAGE", "str", None, "language (BCP 47) of jobs that name none; unset: it is detected"
    )
    default_diarizer: str = setting(
        "DEFAULT_DIARIZER",
        "str",
        "auto",
        "diarization engine for jobs that name none; `auto` takes the best whose weights are here",
    )
    max_duration_s: float = setting(
        "MAX_AUDIO_DURATION_S", "float", 86_400.0, "longest recording that is transcribed", Range(min=1)
    )
    max_attempts: int = setting("MAX_ATTEMPTS", "int", 3, "failures after which a job is given up", Range(min=1))
    retry_base_s: float = setting(
        "RETRY_BASE_S", "float", 2.0, "wait before a failed job is tried again; doubles each time", Range(min=0.01)
    )
    max_crashes: int = setting(
        "MAX_CRASHES", "int", 3, "lost workers after which a job is held to be what kills them", Range(min=1)
    )
    lease_s: float = setting(
        "LEASE_S", "float", 15.0, "silence after which a running job is taken from its worker", Range(min=1)
    )
    beat_s: float = setting("BEAT_S", "float", 3.0, "time between a worker's signs of life", Range(min=0.05))
    tick_s: float = setting(
        "TICK_S", "float", 2.0, "time between looks for lost workers and forgotten jobs", Range(min=0.05)
    )

    def __post_init__(self) -> None:
        if self.lease_s < 3 * self.beat_s:
            raise ConfigError(["LEASE_S: Must be at least three times BEAT_S, or live workers lose their jobs"])

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read it from `environ` (default: this process's environment).

        Raises:
            ConfigError: values are missing or wrong; all of them are told.
        """
        return read(cls, environ)
