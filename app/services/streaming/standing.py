"""How a live session stands, and what was said in it: asked at each end, gap and silence, so in one statement."""

from dataclasses import dataclass
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
SELECT jobs.state, jobs.duration_s, CASE WHEN row_number() OVER (ORDER BY said.seq) = 1 THEN kept.text END,
    said.seq, said.segment, said.speech_final, said.alternatives
FROM jobs LEFT JOIN job_segments AS said ON said.job_id = jobs.id AND said.seq > :after
    LEFT JOIN job_transcripts AS kept ON kept.job_id = jobs.id
WHERE jobs.id = :id AND jobs.project_id = :project_id AND jobs.parent_id IS NULL
ORDER BY said.seq
""")
)
"""Gives a row for each final, one without any if there are none; the whole text, which may be long, with the first."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a session stands: its finals in order, from some number on; `text` is what was said in one that is completed,
    as people have corrected it.
    """

    state: JobState
    finals: list[Final]
    text: str | None
    duration_s: float


def standing(database: Database, principal: Principal, job_id: str, after: int) -> Standing:
    """How a session stands, with its finals after the one of this number.

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
    state, duration_s, words, *_ = rows[0]
    finals = [_final(*said) for _, _, _, *said in rows if said[0] is not None]
    return Standing(JobState(state), finals, words, duration_s or 0.0)


def _final(seq: int, segment: dict[str, Any], speech_final: bool, alternatives: list[tuple[str, float]]) -> Final:
    others = tuple((str(said), float(sure)) for said, sure in alternatives)
    return Final(seq, segment_from_dict(segment), speech_final, others)
