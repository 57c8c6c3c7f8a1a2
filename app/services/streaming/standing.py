"""How a live session stands, and what was said in it: asked at each end, gap and silence, so in one statement."""

from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.domain.errors import NotFound
from app.domain.live import Final
from app.domain.principal import Principal
from app.domain.states import JobState
from app.domain.transcript import segment_from_dict
from app.services.database import Database
from app.services.statements import Statement

STANDING = Statement.of(
    text("""
SELECT jobs.state, said.seq, said.segment, said.speech_final, said.alternatives
FROM jobs LEFT JOIN job_segments AS said ON said.job_id = jobs.id AND said.seq > :after
WHERE jobs.id = :id AND jobs.project_id = :project_id AND jobs.parent_id IS NULL
ORDER BY said.seq
""")
)
"""Gives a row for each final, one without any if there are none."""


def standing(database: Database, principal: Principal, job_id: str, after: int) -> tuple[JobState, list[Final]]:
    """The state of a session, and its finals after the one of this number.

    Raises:
        NotFound: unknown, or of another project.
        Unavailable: PostgreSQL cannot be reached.
    """
    try:
        asked = {"id": str(UUID(job_id)), "project_id": principal.project_id, "after": after}
    except ValueError as error:
        raise NotFound(what="job") from error
    rows = database.rows(STANDING, asked)
    if not rows:
        raise NotFound(what="job")
    return JobState(rows[0][0]), [_final(*row) for _, *row in rows if row[0] is not None]


def _final(seq: int, segment: dict[str, Any], speech_final: bool, alternatives: list[tuple[str, float]]) -> Final:
    others = tuple((str(said), float(sure)) for said, sure in alternatives)
    return Final(seq, segment_from_dict(segment), speech_final, others)
