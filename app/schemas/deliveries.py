"""Deliveries: messages to clients' own servers, and how each try went."""

from marshmallow import Schema
from marshmallow.fields import AwareDateTime, Enum, Integer, List, Nested, String

from app.domain.delivery import DeliveryState


class DeliveryTryAnswer(Schema):
    """One try; `error` says why there was no `status`."""

    at = AwareDateTime(required=True)
    status = Integer(required=True, allow_none=True, metadata={"description": "What the receiver answered"})
    error = String(required=True, allow_none=True)
    duration_ms = Integer(required=True, attribute="ms")


class DeliveryAnswer(Schema):
    """A message for one receiver."""

    delivery_id = String(required=True, attribute="id", metadata={"description": "Also its `webhook-id`"})
    job_id = String(required=True)
    type = String(required=True, metadata={"description": "What happened, as `job.completed`"})
    url = String(required=True, metadata={"description": "Without its query, which may hold a secret"})
    status = Enum(DeliveryState, by_value=True, required=True, attribute="state")
    attempts = Integer(required=True, metadata={"description": "Since it was made, or asked for again"})
    created_at = AwareDateTime(required=True)
    next_at = AwareDateTime(required=True, allow_none=True, metadata={"description": "When the next try is due"})
    delivered_at = AwareDateTime(required=True, allow_none=True)
    last_status = Integer(required=True, allow_none=True)
    last_error = String(required=True, allow_none=True)
    tries = List(Nested(DeliveryTryAnswer), required=True)


class DeliveriesAnswer(Schema):
    """All deliveries of a job, oldest first."""

    deliveries = List(Nested(DeliveryAnswer), required=True)
