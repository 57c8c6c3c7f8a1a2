"""Live sessions: what a job of the mode `streaming` has beside its row."""

from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Integer, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base


class StreamSession(Base):
    """How the sound comes, who may resume (`token_hash`, SHA-256 in hex), and how far all is durable.

    Everything before `cursor_sample` (16 kHz, from the session's start) is in `n_finals` stored finals, or was silence.
    A decoder that begins at `restart_byte`, with `header` put before, gives the sound from `restart_sample` on, which
    is not after the cursor.
    """

    __tablename__ = "stream_sessions"

    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    encoding: Mapped[str] = mapped_column(Text)
    rate_hz: Mapped[int] = mapped_column(Integer)
    options: Mapped[dict[str, Any]] = mapped_column(JSONB)
    token_hash: Mapped[str | None] = mapped_column(Text)
    restart_byte: Mapped[int] = mapped_column(BigInteger, server_default="0")
    restart_sample: Mapped[int] = mapped_column(BigInteger, server_default="0")
    header: Mapped[bytes] = mapped_column(LargeBinary, server_default=text("''::bytea"))
    cursor_sample: Mapped[int] = mapped_column(BigInteger, server_default="0")
    n_finals: Mapped[int] = mapped_column(Integer, server_default="0")
