"""Logs: one line an event, the same for our own code and for the libraries, without secrets."""

import logging
import sys
from contextlib import AbstractContextManager

import structlog
from structlog.typing import Processor

from app.observability.redaction import redact

# These tell at INFO what helps only those who work on them.
CHATTY = ("alembic", "httpcore", "httpx", "urllib3", "geventwebsocket")


def configure_logging(log_format: str, level: str) -> None:
    """Send every log of this process to stderr. `log_format` is `console` or `json`, `level` a name of logging's."""
    structlog.configure(
        processors=[*_enriching(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*_enriching(), structlog.stdlib.ExtraAdder()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_rendering(log_format)],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)


def bound(**values: object) -> AbstractContextManager[None]:
    """Put `values` (a request id, a job id) on every log line of the block, in this thread or greenlet."""
    return structlog.contextvars.bound_contextvars(**values)


def _enriching() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]


def _rendering(log_format: str) -> list[Processor]:
    # The traceback becomes text first: what it quotes may hold a secret too.
    if log_format == "json":
        return [structlog.processors.format_exc_info, redact, structlog.processors.JSONRenderer(ensure_ascii=False)]
    console = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback, pad_event_to=0
    )
    return [structlog.processors.format_exc_info, redact, console]
