"""Settings of the workers."""

import base64
import binascii
from dataclasses import dataclass

from marshmallow import ValidationError
from marshmallow.validate import OneOf, Range

from config.base import BaseConfig
from config.reading import ConfigError, setting

MIN_SECRET_LENGTH = 16


def _webhook_secret(value: str) -> None:
    """A check that a secret can sign; it is not repeated in what is told."""
    if len(value) < MIN_SECRET_LENGTH:
        raise ValidationError(f"Must have at least {MIN_SECRET_LENGTH} characters")
    encoded = value.removeprefix("whsec_") if value.startswith("whsec_") else ""
    try:
        base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise ValidationError("What follows whsec_ must be base64") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerConfig(BaseConfig):
    """What a worker needs beside what all processes need. Sizes in MiB, times in seconds."""

    concurrency: int = setting("CONCURRENCY", "int", 1, "jobs a worker does at once", Range(min=1, max=64))
    device: str = setting("DEVICE", "str", "auto", "what the engines compute on", OneOf(("auto", "cpu", "cuda")))
    engine_threads: int | None = setting(
        "ENGINE_THREADS",
        "int",
        None,
        "threads of one engine; unset: the cores shared among the jobs",
        Range(min=1),
    )
    child_max_rss_mb: int = setting(
        "CHILD_MAX_RSS_MB", "int", 6000, "memory at which a working engine process is ended", Range(min=100)
    )
    child_recycle_rss_mb: int = setting(
        "CHILD_RECYCLE_RSS_MB",
        "int",
        3000,
        "memory above which an engine process is renewed between jobs",
        Range(min=100),
    )
    child_start_s: float = setting("CHILD_START_S", "float", 120.0, "time an engine process has to start", Range(min=1))
    stall_s: float = setting(
        "STALL_S", "float", 300.0, "time without progress after which an engine process is ended", Range(min=1)
    )
    drain_s: float = setting(
        "DRAIN_S", "float", 8.0, "time running jobs have to end when the worker stops", Range(min=0)
    )
    part_s: float = setting(
        "PART_S", "float", 300.0, "length of the parts that long recordings are cut into", Range(min=10)
    )
    decode_memory_mb: int = setting(
        "DECODE_MEMORY_MB", "int", 1024, "memory the decoding of one recording may take", Range(min=128)
    )
    decode_cpu_s: int = setting(
        "DECODE_CPU_S", "int", 3600, "processor time the decoding of one recording may take", Range(min=1)
    )
    download_s: float = setting(
        "DOWNLOAD_S", "float", 3600.0, "time the download of one recording may take", Range(min=1)
    )
    allow_private_urls: bool = setting(
        "ALLOW_PRIVATE_URLS",
        "bool",
        False,
        "let clients' URLs lead to private addresses; for tests and closed networks",
    )
    url_hosts: tuple[str, ...] = setting(
        "URL_HOSTS",
        "list",
        (),
        "the only hosts that clients' URLs may lead to, comma between; `*.example.com` is all below",
    )
    webhook_secret: str | None = setting(
        "WEBHOOK_SECRET",
        "str",
        None,
        "secret that signs deliveries, `whsec_…` or any text; unset in development: one is made in VAR_DIR",
        _webhook_secret,
        secret=True,
    )

    stream_slots: int = setting(
        "STREAM_SLOTS",
        "int",
        0,
        "live sessions of one engine process; 0: measured at its start",
        Range(min=0, max=1000),
    )
    stream_lease_s: float = setting(
        "STREAM_LEASE_S", "float", 5.0, "silence after which a live session is taken from its worker", Range(min=0.5)
    )
    stream_beat_s: float = setting(
        "STREAM_BEAT_S", "float", 1.0, "time between signs of life of live sessions", Range(min=0.05)
    )
    stream_abandoned_s: float = setting(
        "STREAM_ABANDONED_S", "float", 30.0, "time without a client after which a live session is ended", Range(min=1)
    )
    stream_connect_s: float = setting(
        "STREAM_CONNECT_S", "float", 600.0, "time a live session waits for its first connection", Range(min=1)
    )
    stream_stall_s: float = setting(
        "STREAM_STALL_S",
        "float",
        30.0,
        "time that an engine process may spend on one piece of live sound before it is ended",
        Range(min=1),
    )
    retention_s: float | None = setting(
        "RETENTION_S",
        "float",
        None,
        "how long jobs are kept after their end, with recording and transcript; unset: for ever",
        Range(min=1),
    )
    audio_retention_s: float | None = setting(
        "RETENTION_AUDIO_S",
        "float",
        None,
        "how long recordings are kept after the end of their job; unset: as long as the job",
        Range(min=1),
    )
    retention_every_s: float = setting(
        "RETENTION_EVERY_S", "float", 1800.0, "time between looks for what has been kept long enough", Range(min=0.1)
    )

    def __post_init__(self) -> None:
        super(WorkerConfig, self).__post_init__()
        if self.environment == "production" and self.webhook_secret is None:
            raise ConfigError(["WEBHOOK_SECRET: Must be set in production, or receivers cannot tell who calls them"])
        if self.stream_lease_s < 3 * self.stream_beat_s:
            raise ConfigError(["STREAM_LEASE_S: Must be at least three times STREAM_BEAT_S, or they are taken away"])
