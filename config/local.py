"""Settings of what is done on this machine without the service: no database, no Redis."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self

from config.base import BaseConfig
from config.reading import read
from config.worker import WorkerConfig


def _same_as(config: type[BaseConfig], name: str) -> Any:
    """The setting that another config declares under this name, so that it has one name and default everywhere."""
    return field(metadata=next(one.metadata for one in fields(config) if one.name == name))


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalConfig:
    """What a transcription in this process needs."""

    var_dir: Path = _same_as(BaseConfig, "var_dir")  # noqa: RUF009 - it makes a field
    weights_dir: Path = _same_as(BaseConfig, "weights_dir")  # noqa: RUF009 - it makes a field
    default_engine: str = _same_as(BaseConfig, "default_engine")
    default_language: str | None = _same_as(BaseConfig, "default_language")
    max_duration_s: float = _same_as(BaseConfig, "max_duration_s")
    device: str = _same_as(WorkerConfig, "device")
    engine_threads: int | None = _same_as(WorkerConfig, "engine_threads")
    part_s: float = _same_as(WorkerConfig, "part_s")
    decode_memory_mb: int = _same_as(WorkerConfig, "decode_memory_mb")
    decode_cpu_s: int = _same_as(WorkerConfig, "decode_cpu_s")

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read it from `environ` (default: this process's environment).

        Raises:
            ConfigError: values are wrong; all of them are told.
        """
        return read(cls, environ)
