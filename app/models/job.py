"""Jobs: the table that decides."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.job import Mode
from app.domain.states import JobState
from app.models.base import Base


def _one_of(column: str, values: list[str]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


class Job(Base):
    """One request to transcribe one recording.

    `claim` is the token of the run that owns the row; nothing about a running job is written without it,
    and `ended_by` is the token of the run that ended, so that a commit whose answer was lost can be asked for again.
    `beat` counts that run's signs of life; `beat_at` (PostgreSQL's clock) is for people and decides nothing.
    `attempt` numbers the runs; `failures`, `crashes` and `releases` count how they ended, apart.
    A recording that is still to be fetched from `audio_url` has no `audio_key` yet, nor a type, size or hash;
    an ended job may have outlived its recording, and has none any more. A live job gets one at its end, if its sound is
    kept; `source_id` is the live job whose sound this one works on.

    A row with a `parent_id` is a half: work that another queue does for the job of that id. Only that job is the
    client's; its halves are in no list, share its recording, and go with it.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint(_one_of("state", [state.value for state in JobState]), name="state"),
        CheckConstraint(_one_of("mode", [mode.value for mode in Mode]), name="mode"),
        CheckConstraint("(state = 'PROCESSING') = (claim IS NOT NULL)", name="claimed_while_processing"),
        CheckConstraint(
            "(state IN ('COMPLETED', 'FAILED', 'CANCELLED')) = (finished_at IS NOT NULL)",
            name="finished_when_final",
        ),
        CheckConstraint(
            "audio_key IS NOT NULL OR audio_url IS NOT NULL OR finished_at IS NOT NULL OR mode = 'streaming'",
            name="has_recording",
        ),
        Index("ix_jobs_newest", "project_id", text("created_at DESC"), text("id DESC")),
        Index("ix_jobs_due", "mode", "run_at", "id", postgresql_where=text("state = 'QUEUED'")),
        # What retention walks along, and what the operator's figures of the last hour are read from.
        Index(
            "ix_jobs_ended",
            "finished_at",
            "id",
            "state",
            "error_code",
            postgresql_where=text("finished_at IS NOT NULL"),
        ),
        Index("ix_jobs_source_id", "source_id", postgresql_where=text("source_id IS NOT NULL")),
        Index("ix_jobs_running", "mode", "id", postgresql_where=text("state = 'PROCESSING'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[str] = mapped_column(Text, ForeignKey("projects.id"))
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), index=True)
    mode: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    priority: Mapped[int] = mapped_column(Integer)
    options: Mapped[dict[str, Any]] = mapped_column(JSONB)
    meta: Mapped[dict[str, Any]] = mapped_column("metadata", JSONB)

    filename: Mapped[str] = mapped_column(Text)
    content_type: Mapped[str] = mapped_column(Text)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(Text)
    audio_key: Mapped[str | None] = mapped_column(Text, index=True)
    audio_url: Mapped[str | None] = mapped_column(Text)
    callback_url: Mapped[str | None] = mapped_column(Text)
    estimated_s: Mapped[float] = mapped_column(Float)
    source_id: Mapped[UUID | None] = mapped_column(ForeignKey("jobs.id", ondelete="SET NULL"))

    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    run_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    claim: Mapped[UUID | None]
    ended_by: Mapped[UUID | None]
    worker: Mapped[str | None] = mapped_column(Text)
    beat: Mapped[int] = mapped_column(BigInteger, server_default="0")
    beat_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    attempt: Mapped[int] = mapped_column(Integer, server_default="0")
    failures: Mapped[int] = mapped_column(Integer, server_default="0")
    crashes: Mapped[int] = mapped_column(Integer, server_default="0")
    releases: Mapped[int] = mapped_column(Integer, server_default="0")
    cancel_requested: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    progress: Mapped[float] = mapped_column(Float, server_default="0")

    duration_s: Mapped[float | None] = mapped_column(Float)
    language: Mapped[str | None] = mapped_column(Text)
    engine: Mapped[str | None] = mapped_column(Text)
    model: Mapped[str | None] = mapped_column(Text)

    error_code: Mapped[str | None] = mapped_column(Text)
    error_message: Mapped[str | None] = mapped_column(Text)
    error_params: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    error_retryable: Mapped[bool | None]
