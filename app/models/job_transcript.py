"""Results."""

from typing import Any
from uuid import UUID

from sqlalchemy import Computed, ForeignKey, Index, Text
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base


class JobTranscript(Base):
    """What was heard in a job's recording; `segments` are written once, in the transaction that completes the job.

    `edits` are texts by segment id, as people have corrected them; `text`, which is searched, holds those.
    """

    __tablename__ = "job_transcripts"
    __table_args__ = (Index("ix_job_transcripts_search", "search", postgresql_using="gin"),)

    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    segments: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    speakers: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    warnings: Mapped[list[str]] = mapped_column(JSONB)
    edits: Mapped[dict[str, str] | None] = mapped_column(JSONB(none_as_null=True))
    search: Mapped[Any] = mapped_column(TSVECTOR, Computed("to_tsvector('simple', left(text, 500000))", persisted=True))
