"""Carrying one message to its receiver."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from app.domain.errors import UrlRefused
from app.outbound.client import Outbound, Patience, reason_of
from app.outbound.urls import checked_url
from app.services.delivery.signing import signed_headers

PATIENCE = Patience(total_s=10.0, connect_s=5.0, silence_s=10.0)


@dataclass(frozen=True, slots=True)
class Message:
    """What is to be carried; `id` is the same for every try."""

    id: str
    url: str
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a try went: the status that was answered, or why there was none; how long it took."""

    status: int | None
    error: str | None
    ms: int


class Courier:
    """Posts signed messages; follows no redirects and reads no answers beyond their status."""

    def __init__(
        self,
        outbound: Outbound,
        key: bytes,
        patience: Patience = PATIENCE,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._outbound = outbound
        self._key = key
        self._patience = patience
        self._now_s = now_s

    def carry(self, message: Message) -> Outcome:
        """Post it once; what goes wrong is in the outcome."""
        begun_s = time.monotonic()
        status, error = self._posted(message)
        return Outcome(status, error, round((time.monotonic() - begun_s) * 1000))

    def _posted(self, message: Message) -> tuple[int | None, str | None]:
        body = json.dumps(message.payload, ensure_ascii=False, separators=(",", ":")).encode()
        headers = signed_headers(self._key, message.id, int(self._now_s()), body)
        headers["Content-Type"] = "application/json"
        try:
            with (
                self._outbound.errand(self._patience) as client,
                client.stream("POST", checked_url(message.url), content=body, headers=headers) as answer,
            ):
                return answer.status_code, None
        except UrlRefused as refusal:
            return None, refusal.message
        except httpx.HTTPError as error:
            return None, reason_of(error)
