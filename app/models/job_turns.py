"""Who spoke when."""

from typing import Any
from uuid import UUID

from sqlalchemy import Float, ForeignKey, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base


class JobTurns(Base):
    """The turns heard in a job's recording, as [start_s, end_s, speaker], and by what; kept as soon as they are known,
    so that the words can come later.
    """

    __tablename__ = "job_turns"

    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    turns: Mapped[list[list[Any]]] = mapped_column(JSONB)
    engine: Mapped[str] = mapped_column(Text)
    model: Mapped[str] = mapped_column(Text)
    duration_s: Mapped[float] = mapped_column(Float)
    warnings: Mapped[list[str]] = mapped_column(JSONB)
