"""The row that a new job begins as."""

from datetime import datetime
from typing import Any, cast
from uuid import uuid4

from psycopg2.extras import Json
from sqlalchemy import Table, bindparam, func, insert

from app.domain.job import JobOptions, JobView, Mode, Priority, seq_of_state
from app.domain.states import JobState
from app.models import Job
from app.services.database import Work
from app.services.statements import Statement

_TABLE = cast("Table", Job.__table__)
_COLUMNS = (
    "id",
    "project_id",
    "mode",
    "state",
    "priority",
    "options",
    "metadata",
    "filename",
    "content_type",
    "size_bytes",
    "sha256",
    "audio_key",
    "audio_url",
    "callback_url",
    "estimated_s",
)
INSERT = Statement.of(
    insert(_TABLE)
    .values({name: bindparam(name, type_=_TABLE.c[name].type) for name in _COLUMNS})
    .returning(_TABLE.c.created_at, func.set_config("synchronous_commit", "off", True))
)
"""Gives `created_at` first. The id is new, made by us: no other row can have it.

The transaction that it is in does not wait for the disk: see `Database.wait_for_disk`.
"""


def new_row(project_id: str, mode: Mode, priority: Priority, **known: Any) -> dict[str, Any]:
    """A row, as far as it is the same for all jobs that begin, and what else is `known` of this one."""
    return {
        "id": uuid4(),
        "project_id": project_id,
        "mode": mode.value,
        "state": JobState.QUEUED.value,
        "priority": priority.rank,
        **known,
    }


def inserted(row: dict[str, Any]) -> dict[str, Any]:
    """What `INSERT` takes."""
    return {**row, "options": Json(row["options"]), "metadata": Json(row["metadata"])}


def insert_row(work: Work, row: dict[str, Any]) -> Job:
    """Insert a row of any columns, for those that are written with others."""
    work.session.execute(insert(_TABLE).values(row))
    return work.session.get_one(Job, row["id"])


def new_view(row: dict[str, Any], options: JobOptions, created_at: datetime) -> JobView:
    """What may be told of a job that was inserted just now, without reading it again."""
    return JobView(
        id=str(row["id"]),
        project_id=row["project_id"],
        mode=Mode(row["mode"]),
        state=JobState.QUEUED,
        priority=list(Priority)[row["priority"]],
        options=options,
        filename=row["filename"],
        content_type=row["content_type"],
        size_bytes=row["size_bytes"],
        progress=0.0,
        attempt=0,
        created_at=created_at,
        seq=seq_of_state(JobState.QUEUED, 0),
        metadata=row["metadata"],
    )
