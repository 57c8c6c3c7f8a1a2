"""Outlines of recordings."""

from uuid import UUID

from sqlalchemy import Float, ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base


class JobPeaks(Base):
    """The outline of a job's recording (`app.domain.peaks`), at most 128 KiB; gone with the job."""

    __tablename__ = "job_peaks"

    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    bucket_s: Mapped[float] = mapped_column(Float)
    pairs: Mapped[bytes] = mapped_column(LargeBinary)
