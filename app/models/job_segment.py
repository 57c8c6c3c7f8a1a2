"""The finals of a live session."""

from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, ForeignKey, Integer
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base


class JobSegment(Base):
    """What was said, for good: numbered 1, 2, 3 … by session, written with the cursor that it moves."""

    __tablename__ = "job_segments"

    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    segment: Mapped[dict[str, Any]] = mapped_column(JSONB)
    speech_final: Mapped[bool] = mapped_column(Boolean)
    alternatives: Mapped[list[Any]] = mapped_column(JSONB)
    """Other ways to hear it, best first: pairs of text and confidence."""
