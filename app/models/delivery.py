"""Messages to clients' own servers: what is to be sent, and how far that is."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, Integer, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.delivery import DeliveryState
from app.models.base import Base


class Delivery(Base):
    """One event for one receiver; written in the transaction that made it true, so that it cannot be forgotten.

    `claim` is the token of the try under way, without which its outcome is not written. `next_at` is when the
    next try is due; while one is under way, when it is held to be lost. `attempts` counts since the delivery was
    made, or asked for again by a person.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        CheckConstraint(f"state IN ({', '.join(repr(state.value) for state in DeliveryState)})", name="state"),
        Index("ix_deliveries_due", "host", "next_at", postgresql_where=text("state = 'PENDING'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), index=True)
    project_id: Mapped[str] = mapped_column(Text, ForeignKey("projects.id"))
    url: Mapped[str] = mapped_column(Text)
    host: Mapped[str] = mapped_column(Text)
    type: Mapped[str] = mapped_column(Text)
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """The body, as it was when the event happened."""
    state: Mapped[str] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(Integer, server_default="0")
    next_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    claim: Mapped[UUID | None]
    last_status: Mapped[int | None] = mapped_column(Integer)
    last_error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    delivered_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
