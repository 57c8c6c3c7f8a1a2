"""Serve the API: `python run_api.py`."""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication

from app.observability.logging import configure_logging
from app.services.schema import SchemaBehind, require_schema
from config import ApiConfig, ConfigError
from config.gunicorn import gunicorn_settings

YOUNG = 10_000
"""Objects made, less those gone, before they are searched for garbage. By default it is 700: each search holds up all
sockets for a millisecond or two, and hundreds of live sessions make that many ten times a second.
"""


class Api(BaseApplication):  # type: ignore[misc]
    """gunicorn, serving what `create_api` builds; each process builds its own, after gevent has patched it."""

    def __init__(self, config: ApiConfig) -> None:
        self._config = config
        super().__init__()

    def load_config(self) -> None:
        """Tell gunicorn its settings."""
        for name, value in gunicorn_settings(self._config).items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Build the application."""
        with unswept():
            from app import create_api

            return create_api(self._config)


def main() -> None:
    """Load the settings, make sure of the schema, build, run."""
    try:
        config = ApiConfig.from_env()
    except ConfigError as error:
        sys.exit(str(error))
    configure_logging(config.log_format, config.log_level)
    try:
        require_schema(config.database_url)
    except SchemaBehind as error:
        sys.exit(str(error))
    empty_metrics_dir(config.metrics_dir)
    Api(config).run()


@contextmanager
def unswept() -> Iterator[None]:
    """Make what stays for good without a search for garbage among it, now or later: a tenth of the time to be ready."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
        gc.enable()


def empty_metrics_dir(metrics_dir: Path) -> None:
    """Forget what the processes of an earlier run counted, and tell prometheus_client where to count."""
    metrics_dir.mkdir(parents=True, exist_ok=True)
    for file in metrics_dir.glob("*.db"):
        file.unlink()
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(metrics_dir)


if __name__ == "__main__":
    main()
