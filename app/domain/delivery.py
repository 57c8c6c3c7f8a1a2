"""Messages to clients' own servers, as the services speak of them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class DeliveryState(StrEnum):
    """How a delivery stands: still tried, taken, given up, or no longer wanted by its receiver."""

    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"
    GONE = "GONE"


@dataclass(frozen=True, slots=True)
class DeliveryTry:
    """One try: the status that the receiver answered, or why there was none."""

    at: datetime
    status: int | None
    error: str | None
    ms: int


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """All that its owner may know of a delivery. `url` is without its query, which may hold a secret.

    `next_at` is None once no further try is to come.
    """

    id: str
    job_id: str
    type: str
    url: str
    state: DeliveryState
    attempts: int
    created_at: datetime
    next_at: datetime | None = None
    delivered_at: datetime | None = None
    last_status: int | None = None
    last_error: str | None = None
    tries: tuple[DeliveryTry, ...] = ()
