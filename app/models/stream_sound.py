"""The sound of live sessions that is to be kept, until they end."""

from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base


class StreamSound(Base):
    """The samples from `start_sample` on (16 kHz, signed 16-bit little-endian); written with the cursor at their end.

    The pieces of a session follow on one another, and become one recording when it ends.
    """

    __tablename__ = "stream_sounds"

    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    start_sample: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    pcm: Mapped[bytes] = mapped_column(LargeBinary)
