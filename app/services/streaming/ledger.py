"""What a worker writes of the live sessions it has: finals with the cursor they move, signs of life.

Each is one statement for all sessions of the worker, and each is fenced by the claim tokens: a session that is not in
the answer is no longer this worker's.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Boolean, Float, Integer, LargeBinary, Text, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY

from app.domain.errors import NotFound
from app.domain.live import Mark, Step, StreamSpec
from app.domain.transcript import segment_to_dict
from app.services.database import Database, Unhurried
from app.services.jobs.claimed import ClaimedJob
from app.services.jobs.claims import Beat
from app.services.statements import Statement
from app.services.streaming.specs import stored_spec

# FOR NO KEY UPDATE: the rows stay this worker's until all is written; whoever takes a session next sees it all.
COMMIT = Statement.of(
    text("""
WITH moved AS (
    SELECT * FROM unnest(:jobs, :tokens, :bytes, :samples, :headers, :cursors, :n_finals)
        AS moved (job_id, token, byte, sample, header, cursor_sample, n_finals)
), held AS (
    SELECT jobs.id FROM jobs JOIN moved ON jobs.id = moved.job_id AND jobs.claim = moved.token
    ORDER BY jobs.id FOR NO KEY UPDATE OF jobs
), marked AS (
    UPDATE stream_sessions SET restart_byte = moved.byte, restart_sample = moved.sample, header = moved.header,
        cursor_sample = moved.cursor_sample, n_finals = moved.n_finals
    FROM moved JOIN held ON held.id = moved.job_id WHERE stream_sessions.job_id = held.id
), said AS (
    INSERT INTO job_segments (job_id, seq, segment, speech_final, alternatives)
    SELECT said.job_id, said.seq, said.segment::jsonb, said.speech_final, said.alternatives::jsonb
    FROM unnest(:said_jobs, :seqs, :segments, :speech_finals, :alternatives)
        AS said (job_id, seq, segment, speech_final, alternatives) JOIN held ON held.id = said.job_id
    ON CONFLICT DO NOTHING
), kept AS (
    INSERT INTO stream_sounds (job_id, start_sample, pcm)
    SELECT kept.* FROM unnest(:kept_jobs, :starts, :pcms) AS kept (job_id, start_sample, pcm)
        JOIN held ON held.id = kept.job_id
    ON CONFLICT DO NOTHING
)
SELECT id FROM held
""").bindparams(
        bindparam("jobs", type_=ARRAY(Uuid)),
        bindparam("tokens", type_=ARRAY(Uuid)),
        bindparam("bytes", type_=ARRAY(BigInteger)),
        bindparam("samples", type_=ARRAY(BigInteger)),
        bindparam("headers", type_=ARRAY(LargeBinary)),
        bindparam("cursors", type_=ARRAY(BigInteger)),
        bindparam("n_finals", type_=ARRAY(Integer)),
        bindparam("said_jobs", type_=ARRAY(Uuid)),
        bindparam("seqs", type_=ARRAY(Integer)),
        bindparam("segments", type_=ARRAY(Text)),
        bindparam("speech_finals", type_=ARRAY(Boolean)),
        bindparam("alternatives", type_=ARRAY(Text)),
        bindparam("kept_jobs", type_=ARRAY(Uuid)),
        bindparam("starts", type_=ARRAY(BigInteger)),
        bindparam("pcms", type_=ARRAY(LargeBinary)),
    )
)

LOAD = Statement.of(
    text("""
SELECT encoding, rate_hz, options, header, restart_byte, restart_sample, cursor_sample, n_finals
FROM stream_sessions WHERE job_id = :job
""")
)

BEATS = Statement.of(
    text("""
UPDATE jobs SET beat = beat + 1, beat_at = now(), duration_s = alive.duration_s,
    crashes = CASE WHEN alive.gets_on THEN 0 ELSE jobs.crashes END
FROM (
    SELECT * FROM unnest(:jobs, :tokens, :durations, :gets_on) AS one (id, token, duration_s, gets_on) ORDER BY id
) AS alive
WHERE jobs.id = alive.id AND jobs.claim = alive.token
RETURNING jobs.id, jobs.cancel_requested
""").bindparams(
        bindparam("jobs", type_=ARRAY(Uuid)),
        bindparam("tokens", type_=ARRAY(Uuid)),
        bindparam("durations", type_=ARRAY(Float)),
        bindparam("gets_on", type_=ARRAY(Boolean)),
    )
)


@dataclass(frozen=True, slots=True)
class Alive:
    """A session that runs, and how long its sound is so far; `gets_on`: crashes before this run no longer count."""

    job: ClaimedJob
    duration_s: float
    gets_on: bool = False


Steps = Sequence[tuple[ClaimedJob, Sequence[Step]]]
"""The steps of some sessions, each in order, none without any."""


class StreamLedger:
    """The table's side of a streaming worker."""

    def __init__(self, database: Database, unhurried: Unhurried) -> None:
        """Signs of life go to `unhurried`."""
        self._database = database
        self._unhurried = unhurried

    def load(self, job: ClaimedJob) -> tuple[StreamSpec, Mark]:
        """How the sound of a session comes, and how far it is.

        Raises:
            NotFound: it was deleted meanwhile.
            Unavailable: PostgreSQL cannot be reached.
        """
        rows = self._database.rows(LOAD, {"job": job.id})
        if not rows:
            raise NotFound(what="live session")
        encoding, rate_hz, options, header, *at = rows[0]
        restart_byte, restart_sample, cursor, n_finals = at
        mark = Mark(restart_byte, restart_sample, bytes(header), cursor, n_finals)
        return stored_spec(encoding, rate_hz, options), mark

    def commit(self, steps: Steps) -> set[str]:
        """Store the steps of some sessions, in order; the ids of those that are still this worker's.

        Asking again, because the first answer was lost, stores nothing twice.

        Raises:
            Unavailable: PostgreSQL cannot be reached.
        """
        return {str(job_id) for (job_id,) in self._database.rows(COMMIT, _facts(steps))}

    def beat(self, alive: Iterable[Alive]) -> dict[str, Beat]:
        """Say of sessions that they are alive; the answers, by id, for those that are still this worker's.

        Raises:
            Unavailable: PostgreSQL cannot be reached.
        """
        told = list(alive)
        if not told:
            return {}
        facts = {
            "jobs": [one.job.id for one in told],
            "tokens": [str(one.job.token) for one in told],
            "durations": [one.duration_s for one in told],
            "gets_on": [one.gets_on for one in told],
        }
        return {str(job_id): Beat(is_unwanted) for job_id, is_unwanted in self._unhurried.rows(BEATS, facts)}


def _facts(steps: Steps) -> dict[str, Any]:
    marks = [(job, some[-1].mark) for job, some in steps]
    finals = [(job, step.final) for job, some in steps for step in some if step.final is not None]
    sounds = [(job, step) for job, some in steps for step in some if step.pcm]
    return {
        "jobs": [job.id for job, _ in marks],
        "tokens": [str(job.token) for job, _ in marks],
        "bytes": [mark.byte for _, mark in marks],
        "samples": [mark.sample for _, mark in marks],
        "headers": [mark.header for _, mark in marks],
        "cursors": [mark.cursor for _, mark in marks],
        "n_finals": [mark.n_finals for _, mark in marks],
        "said_jobs": [job.id for job, _ in finals],
        "seqs": [final.seq for _, final in finals],
        "segments": [json.dumps(segment_to_dict(final.segment), allow_nan=False) for _, final in finals],
        "speech_finals": [final.speech_final for _, final in finals],
        "alternatives": [json.dumps(final.alternatives, allow_nan=False) for _, final in finals],
        "kept_jobs": [job.id for job, _ in sounds],
        "starts": [step.start for _, step in sounds],
        "pcms": [step.pcm for _, step in sounds],
    }
