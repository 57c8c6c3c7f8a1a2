"""Projects: whom things belong to."""

from datetime import datetime

from sqlalchemy import CheckConstraint, DateTime, Float, Integer, Text, func
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base


class Project(Base):
    """The tenant. `weight` is its share of the workers beside other projects that also wait.

    `retention_s` is how long its jobs are kept after their end, `audio_retention_s` how long their recordings are, if
    shorter; NULL: as the settings say, infinity: for ever. `max_streams` is how many live sessions it may have at once.
    """

    __tablename__ = "projects"
    __table_args__ = (
        CheckConstraint("retention_s > 0", name="retention_s"),
        CheckConstraint("audio_retention_s > 0", name="audio_retention_s"),
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text, unique=True)
    weight: Mapped[float] = mapped_column(Float, server_default="1")
    retention_s: Mapped[float | None] = mapped_column(Float)
    audio_retention_s: Mapped[float | None] = mapped_column(Float)
    max_streams: Mapped[int | None] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
