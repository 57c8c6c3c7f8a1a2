"""Which messages are due, who tries them, and how it went. Every write of a try is fenced by its token."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import CTE, and_, func, select, update
from sqlalchemy.dialects.postgresql import distinct_on

from app.domain.delivery import DeliveryState
from app.models import Delivery, DeliveryAttempt
from app.services.database import Database, Work
from app.services.delivery.courier import Message, Outcome
from app.services.delivery.schedule import WAITS_S, wait_s

LEASE_S = 60.0
"""Longer than any try can take; after it, a try whose end nobody has written down is held to be lost."""

DUE = and_(Delivery.state == DeliveryState.PENDING, Delivery.next_at <= func.now())


@dataclass(frozen=True, slots=True)
class DueDelivery:
    """A message that this process is to try now; `token` must come with its outcome."""

    message: Message
    host: str
    token: UUID
    attempts: int


class DeliveryLedger:
    """The table of deliveries, as those who make the tries use it."""

    def __init__(self, database: Database, *, lease_s: float = LEASE_S, waits_s: tuple[float, ...] = WAITS_S) -> None:
        self._database = database
        self._lease_s = lease_s
        self._waits_s = waits_s

    def take(self, limit: int, busy_hosts: Collection[str] = ()) -> list[DueDelivery]:
        """Take up to `limit` due messages, one a receiver and none for `busy_hosts`; nobody else gets them meanwhile.

        One a receiver: thousands of messages for one that hangs do not stand before those for the others.

        Raises:
            Unavailable: PostgreSQL cannot be reached.
        """
        with self._database.work() as work:
            rows = work.session.scalars(
                update(Delivery)
                .where(Delivery.id.in_(select(_first_of_each_host(limit, busy_hosts).c.id)))
                .values(
                    claim=uuid4(),
                    attempts=Delivery.attempts + 1,
                    next_at=func.now() + timedelta(seconds=self._lease_s),
                )
                .returning(Delivery)
            ).all()
            return [_due(row) for row in rows]

    def record(self, due: DueDelivery, outcome: Outcome) -> DeliveryState | None:
        """Write down how a try went; None if it took so long that it was held to be lost.

        Raises:
            Unavailable: PostgreSQL cannot be reached.
        """
        wait = wait_s(due.attempts, self._waits_s)
        state = _state_after(outcome, is_last=wait is None)
        with self._database.work() as work:
            recorded = work.session.scalar(
                update(Delivery)
                .where(Delivery.id == UUID(due.message.id), Delivery.claim == due.token)
                .values(**_facts(state, outcome, wait or 0.0))
                .returning(Delivery.id)
            )
            if recorded is None:
                return None
            _note(work, due, outcome)
            return state


def _first_of_each_host(limit: int, busy_hosts: Collection[str]) -> CTE:
    first = (
        select(Delivery.id)
        .ext(distinct_on(Delivery.host))
        .where(DUE, Delivery.host.not_in(busy_hosts))
        .order_by(Delivery.host, Delivery.next_at)
        .subquery()
    )
    # DUE once more: a row that another process took since the first look has moved on when it is locked.
    # A CTE is worked out once; a subquery may be more often, and then lock more than the limit.
    return (
        select(Delivery.id)
        .where(DUE, Delivery.id.in_(select(first.c.id)))
        .order_by(Delivery.next_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )


def _due(row: Delivery) -> DueDelivery:
    assert row.claim is not None, "it has just been claimed"
    return DueDelivery(Message(str(row.id), row.url, row.payload), row.host, row.claim, row.attempts)


def _state_after(outcome: Outcome, *, is_last: bool) -> DeliveryState:
    if outcome.status is not None and HTTPStatus(200) <= outcome.status < 300:
        return DeliveryState.DELIVERED
    if outcome.status == HTTPStatus.GONE:
        return DeliveryState.GONE
    return DeliveryState.FAILED if is_last else DeliveryState.PENDING


def _facts(state: DeliveryState, outcome: Outcome, wait: float) -> dict[str, Any]:
    return {
        "state": state,
        "claim": None,
        "next_at": func.now() + timedelta(seconds=wait),
        "last_status": outcome.status,
        "last_error": outcome.error,
        "delivered_at": func.now() if state is DeliveryState.DELIVERED else None,
    }


def _note(work: Work, due: DueDelivery, outcome: Outcome) -> None:
    work.session.add(
        DeliveryAttempt(delivery_id=UUID(due.message.id), status=outcome.status, error=outcome.error, ms=outcome.ms)
    )
