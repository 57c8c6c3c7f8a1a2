"""What was told, or is still to be told, to clients' own servers about a job."""

from dataclasses import asdict
from typing import Any

from app.controllers.context import principal, services
from app.controllers.moments import in_utc
from app.domain.delivery import DeliveryView


def list_deliveries(job_id: str) -> dict[str, Any]:
    """All deliveries of a job, with each try."""
    found = services().deliveries.list_deliveries(principal(), job_id)
    return {"deliveries": [_described(one) for one in found]}


def resend_delivery(job_id: str, delivery_id: str) -> dict[str, Any]:
    """Have a delivery tried again at once."""
    return _described(services().deliveries.resend(principal(), job_id, delivery_id))


def _described(delivery: DeliveryView) -> dict[str, Any]:
    return {**in_utc(asdict(delivery)), "tries": [in_utc(asdict(one)) for one in delivery.tries]}
