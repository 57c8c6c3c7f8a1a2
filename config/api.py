"""Settings of the API."""

from dataclasses import dataclass
from pathlib import Path

from marshmallow.validate import Length, OneOf, Range

from config.base import BaseConfig
from config.reading import InVarDir, begins_with, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiConfig(BaseConfig):
    """What the API needs beside what all processes need."""

    host: str = setting("API_HOST", "str", "127.0.0.1", "address the API listens on; 0.0.0.0 is all")
    port: int = setting("PORT", "int", 8000, "port the API listens on", Range(min=1, max=65_535))
    processes: int = setting("API_PROCESSES", "int", 2, "processes that answer requests", Range(min=1, max=64))
    metrics_dir: Path = setting(
        "METRICS_DIR", "path", InVarDir("metrics"), "folder in which the API's processes add up their metrics"
    )
    cors_origins: tuple[str, ...] = setting(
        "CORS_ORIGINS", "list", (), "origins whose pages may call the API, comma between; `*` is any"
    )
    public_url: str | None = setting(
        "PUBLIC_URL",
        "str",
        None,
        "how clients reach the API, for links in answers; unset: as the request came",
        begins_with("http://", "https://"),
    )
    internal_api_key: str | None = setting(
        "INTERNAL_API_KEY",
        "str",
        None,
        "key of the administrators and of other services, sent as `X-API-Key`; unset: nobody is an administrator",
        Length(min=16, error="Must have at least {min} characters"),
        secret=True,
    )
    rate_limit_per_min: int = setting(
        "RATE_LIMIT_PER_MIN",
        "int",
        0,
        "requests a minute that one client (by address) may make, as many at once after a rest; 0: no limit",
        Range(min=0),
    )
    stream_project_max: int | None = setting(
        "STREAM_PROJECT_MAX",
        "int",
        None,
        "live sessions that a project may have at once, if it has no limit of its own; unset: no limit",
        Range(min=0),
    )
    stream_idle_s: float = setting(
        "STREAM_IDLE_S",
        "float",
        60.0,
        "time without sound or keepalive after which the socket of a live session is closed",
        Range(min=1),
    )
    vosk_port: int | None = setting(
        "VOSK_PORT",
        "int",
        None,
        "second port, on which `/` speaks vosk-server's protocol (2700 is theirs); unset: only `/vosk` does",
        Range(min=1, max=65_535),
    )
    default_locale: str = setting(
        "DEFAULT_LOCALE", "str", "fr", "language of the native family's messages", OneOf(("fr", "en"))
    )
