"""What a log line holds, and what it must never hold."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from app.observability.logging import bound, configure_logging


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_an_event_is_one_json_line_with_its_context(capsys):
    configure_logging("json", "INFO")
    with bound(job_id="j-1"):
        structlog.get_logger("app.x").info("claimed", attempt=2)
    (line,) = lines(capsys)
    assert (line["event"], line["job_id"], line["attempt"], line["level"]) == ("claimed", "j-1", 2, "info")
    assert line["logger"] == "app.x"
    assert str(line["timestamp"]).endswith("Z")


def test_the_context_ends_with_its_block(capsys):
    configure_logging("json", "INFO")
    with bound(job_id="j-1"):
        pass
    structlog.get_logger("app.x").info("idle")
    assert "job_id" not in lines(capsys)[0]


def test_libraries_logs_look_the_same(capsys):
    configure_logging("json", "INFO")
    with bound(request_id="r-9"):
        logging.getLogger("some.library").warning("slow %s", "query", extra={"ms": 7})
    (line,) = lines(capsys)
    assert (line["event"], line["level"], line["ms"], line["request_id"]) == ("slow query", "warning", 7, "r-9")


def test_below_the_level_nothing_is_written(capsys):
    configure_logging("json", "WARNING")
    structlog.get_logger("app.x").info("fine")
    logging.getLogger("some.library").info("fine")
    assert lines(capsys) == []


@pytest.mark.parametrize("log_format", ["json", "console"])
@pytest.mark.parametrize(
    "values",
    [
        {"api_key": "hunter2hunter2"},
        {"headers": {"Authorization": "Bearer hunter2hunter2"}},
        {"url": "postgresql://me:hunter2hunter2@db/parloir"},
        {"urls": ["redis://:hunter2hunter2@cache:6379/0"]},
        {"header": "authorisation was Bearer hunter2hunter2"},
    ],
)
def test_secrets_are_never_written(capsys, log_format, values):
    configure_logging(log_format, "INFO")
    structlog.get_logger("app.x").info("calling", **values)
    written = capsys.readouterr().err
    assert "calling" in written
    assert "hunter2" not in written


def test_a_traceback_is_kept_without_the_password_it_quotes(capsys):
    configure_logging("json", "INFO")
    refused = ConnectionError("cannot reach redis://:hunter2@cache:6379")
    structlog.get_logger("app.x").error("no answer", exc_info=refused)
    (line,) = lines(capsys)
    assert "ConnectionError" in str(line["exception"])
    assert "hunter2" not in str(line)
