"""Dead letters as text, for people and for programs."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from app.cli.table import table
from app.domain.dead import DeadJob, Handled, RunError

COLUMNS = ("JOB", "PROJECT", "ENDED", "CODE", "RUNS", "FILE")
MAX_NAME_LENGTH = 40


def listed(jobs: Sequence[DeadJob]) -> str:
    """A table, one line a job."""
    return table([COLUMNS, *map(_row, jobs)]) if jobs else "There are no dead letters."


def shown(job: DeadJob, errors: Sequence[RunError]) -> str:
    """All that is known of one job."""
    facts = table([(name, safe(_told(value))) for name, value in _facts(job).items()])
    return "\n\n".join([facts, *map(_error, errors)])


def as_json(values: Any) -> str:
    """The same for programs; moments are ISO 8601 in UTC."""
    return json.dumps(values, default=_told, ensure_ascii=False, indent=2)


def job_values(job: DeadJob) -> dict[str, Any]:
    """A job as JSON has it."""
    return asdict(job)


def report_values(job: DeadJob, errors: Iterable[RunError]) -> dict[str, Any]:
    """A job with its errors as JSON has them."""
    return {**job_values(job), "errors": [asdict(error) for error in errors]}


def handled_values(handled: Handled) -> dict[str, Any]:
    """What came of an order as JSON has it."""
    refused = [{"id": one.id, "code": one.error.code, "message": one.error.message} for one in handled.refused]
    return {"done": list(handled.done), "refused": refused}


def safe(text: str) -> str:
    """Text that clients chose, without what a terminal would obey."""
    return "".join(char if char.isprintable() or char in "\n\t" else "�" for char in text)


def _row(job: DeadJob) -> tuple[str, ...]:
    name = safe(job.filename).replace("\n", " ").replace("\t", " ")[:MAX_NAME_LENGTH]
    code = job.error.code if job.error else ""
    return job.id, safe(job.project_id), _told(job.finished_at), code, str(job.attempt), name


def _facts(job: DeadJob) -> dict[str, Any]:
    values = asdict(job)
    failure = values.pop("error")
    return {**values, "error": f"{failure['code']}: {failure['message']}"} if failure else values


def _error(error: RunError) -> str:
    who = f" on {error.worker}" if error.worker else ""
    head = f"{_told(error.at)}  run {error.attempt}{who}  {error.kind}: {error.code}\n  {error.message}"
    detail = "".join(f"\n    {line}" for line in (error.detail or "").splitlines())
    return safe(head + detail)


def _told(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds")
    return "-" if value is None else str(value)
