"""Trying what is due, several at once, so that a receiver that hangs holds up only itself."""

import threading
from collections import Counter

import structlog

from app.domain.delivery import DeliveryState
from app.domain.errors import Unavailable
from app.services.delivery.courier import Courier
from app.services.delivery.ledger import DeliveryLedger, DueDelivery

log = structlog.get_logger(__name__)

OUTCOMES = ("delivered", "retried", "failed", "gone", "lost")
"""Taken; to be tried again; given up; no longer wanted by its receiver; so slow that another process tried too."""

OUTCOME_OF = {
    DeliveryState.DELIVERED: "delivered",
    DeliveryState.PENDING: "retried",
    DeliveryState.FAILED: "failed",
    DeliveryState.GONE: "gone",
}
AT_ONCE = 8
PER_HOST = 2


class Deliverer:
    """Makes the tries, each in a thread of its own; they are few, and most of their time is waiting."""

    def __init__(
        self, ledger: DeliveryLedger, courier: Courier, *, at_once: int = AT_ONCE, per_host: int = PER_HOST
    ) -> None:
        self._ledger = ledger
        self._courier = courier
        self._at_once = at_once
        self._per_host = per_host
        self._changed = threading.Condition()
        self._has_ended = threading.Event()
        self._under_way: Counter[str] = Counter()
        self._tries: Counter[str] = Counter(dict.fromkeys(OUTCOMES, 0))

    def step(self) -> int:
        """Begin the tries that are due, as many as may go on at once; returns how many were begun.

        Raises:
            Unavailable: PostgreSQL cannot be reached.
        """
        self._has_ended.clear()
        with self._changed:
            free = self._at_once - self._under_way.total()
            busy = [host for host, n in self._under_way.items() if n >= self._per_host]
        due = self._ledger.take(free, busy) if free else []
        for one in due:
            self._begin(one)
        return len(due)

    def tries(self) -> dict[str, int]:
        """How many tries had which outcome since the start: one of `OUTCOMES`."""
        with self._changed:
            return dict(self._tries)

    def wait_for_end(self, timeout_s: float) -> None:
        """Wait until a try has ended since the last step, but not longer."""
        self._has_ended.wait(timeout_s)

    def wait_until_idle(self, timeout_s: float) -> bool:
        """Wait until no try is under way; False if some still are. Those are made again after their lease."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._under_way.total(), timeout_s)

    def _begin(self, due: DueDelivery) -> None:
        with self._changed:
            self._under_way[due.host] += 1
        # A daemon: the process does not wait for a receiver that hangs.
        threading.Thread(target=self._try, args=[due], name=f"delivery-{due.message.id}", daemon=True).start()

    def _try(self, due: DueDelivery) -> None:
        try:
            with structlog.contextvars.bound_contextvars(delivery_id=due.message.id, host=due.host):
                self._deliver(due)
        finally:
            with self._changed:
                self._under_way[due.host] -= 1
                self._under_way += Counter()  # forgets the hosts to which nothing is under way
                self._changed.notify_all()
            self._has_ended.set()

    def _deliver(self, due: DueDelivery) -> None:
        outcome = self._courier.carry(due.message)
        try:
            state = self._ledger.record(due, outcome)
        except Unavailable:
            log.warning("delivery_not_recorded", status=outcome.status)  # it is made again after the lease
            return
        self._count(state)
        if state is DeliveryState.DELIVERED:
            log.info("delivered", attempts=due.attempts, ms=outcome.ms)
        else:
            log.warning(
                "not_delivered", attempts=due.attempts, state=state, status=outcome.status, reason=outcome.error
            )

    def _count(self, state: DeliveryState | None) -> None:
        with self._changed:
            self._tries["lost" if state is None else OUTCOME_OF[state]] += 1
