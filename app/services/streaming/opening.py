"""What a live session begins as, and the one statement that counts, makes its rows, and may set it going at once."""

from typing import Any

from psycopg2.extras import Json
from sqlalchemy import text

from app.domain.job import JobOptions, Mode, Priority
from app.domain.live import StreamSpec
from app.domain.principal import Principal
from app.services.jobs.row import new_row
from app.services.jobs.views import options_to_dict
from app.services.statements import Statement
from app.services.streaming.specs import spec_options

COST_S = 1.0
"""All sessions count the same among those that wait: nobody knows how long they will be."""

LOCK = 5_249_078
"""Any number will do, as long as every process takes the same: admissions are made one after the other."""

PARKED_UNTIL, DUE = "infinity", "now"
"""When a session may be taken by a worker: once somebody has connected, or at once."""

IS_OPEN = "mode = 'streaming' AND state IN ('PROCESSING', 'QUEUED')"
IS_GOING = "(state = 'PROCESSING' OR run_at <> 'infinity')"
"""Of those that are open: somebody has connected."""

# Both in one message, which makes them one transaction: the lock is held for no longer than PostgreSQL itself takes,
# and what is counted is counted once it is held.
OPEN = Statement.of(
    text(f"""
SELECT pg_advisory_xact_lock(:lock);
WITH made AS (
    INSERT INTO projects (id, name) VALUES (:project_id, :project_id) ON CONFLICT DO NOTHING
), open AS (
    SELECT count(*) FILTER (WHERE {IS_GOING}) AS n_going,
        count(*) FILTER (WHERE project_id = :project_id) AS n_own
    FROM jobs WHERE {IS_OPEN}
), own AS (
    SELECT coalesce((SELECT max_streams FROM projects WHERE id = :project_id), :project_max) AS most
), room AS (
    SELECT n_going < :n_slots AS is_free, most, (n_own < most) IS NOT FALSE AS is_allowed FROM open, own
), job AS (
    INSERT INTO jobs (id, project_id, mode, state, priority, options, metadata, filename, content_type, size_bytes,
        sha256, estimated_s, run_at)
    SELECT :id, :project_id, :mode, :state, :priority, :options, :metadata, :filename, :content_type, :size_bytes,
        :sha256, :estimated_s, :run_at
    FROM room WHERE is_free AND is_allowed
    RETURNING id, created_at
), session AS (
    INSERT INTO stream_sessions (job_id, encoding, rate_hz, options, token_hash)
    SELECT job.id, :encoding, :rate_hz, :stream_options, :token_hash FROM job
)
SELECT is_allowed, most, created_at FROM room LEFT JOIN job ON true
""").bindparams(lock=LOCK)  # noqa: S608 - its two conditions are ours
)
"""Gives one row: whether the project may have one more, how many it may have, and `created_at` if it was made."""

COUNT_GOING = Statement.of(text(f"SELECT count(*) FROM jobs WHERE {IS_OPEN} AND {IS_GOING}"))  # noqa: S608 - ours


def session_row(principal: Principal, options: JobOptions, metadata: dict[str, Any]) -> dict[str, Any]:
    """The job of a new session."""
    return new_row(
        principal.project_id,
        Mode.STREAMING,
        Priority.NORMAL,
        options=options_to_dict(options),
        metadata=metadata,
        filename="live.wav",
        content_type="",
        size_bytes=0,
        sha256="",
        estimated_s=COST_S,
    )


def facts(row: dict[str, Any], spec: StreamSpec, token_hash: str | None) -> dict[str, Any]:
    """What `OPEN` takes beside the numbers that may not be exceeded; with a token it is due at once."""
    return {
        **row,
        "id": str(row["id"]),
        "options": Json(row["options"]),
        "metadata": Json(row["metadata"]),
        "run_at": PARKED_UNTIL if token_hash is None else DUE,
        "encoding": spec.encoding,
        "rate_hz": spec.rate_hz,
        "stream_options": Json(spec_options(spec)),
        "token_hash": token_hash,
    }
