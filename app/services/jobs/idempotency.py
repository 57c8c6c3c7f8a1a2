"""The same request sent twice makes one job (the IETF Idempotency-Key draft).

PostgreSQL decides: the key's row is written in the transaction that makes the job. Redis only holds a short-lived sign
that the first request is still being taken in, so that a second one is refused early; without Redis the second one is
found out when it comes to commit.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import redis
from redis.exceptions import RedisError
from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError

from app.domain.errors import InvalidFields, KeyInUse, KeyMismatch
from app.domain.principal import Principal
from app.models import IdempotencyKey
from app.services.database import Work

LIFE = timedelta(hours=24)
MAX_LENGTH = 255
HOLD_S = 4
"""Of a process that was killed, a sign remains; so long at most does it keep the client's next try out."""


def fingerprint(request: dict[str, Any]) -> str:
    """What a request was, in short: SHA-256 over its values in canonical JSON."""
    return hashlib.sha256(json.dumps(request, sort_keys=True, default=str).encode()).hexdigest()


def checked_key(key: str | None) -> str | None:
    """The key, if it is one that we can keep.

    Raises:
        InvalidFields: empty, too long, or not printable.
    """
    if key is not None and not (0 < len(key) <= MAX_LENGTH and key.isprintable()):
        raise InvalidFields({"Idempotency-Key": [f"must be 1 to {MAX_LENGTH} printable characters"]})
    return key


class IdempotencyKeys:
    """Keys of requests that made jobs."""

    def __init__(self, client: "redis.Redis") -> None:
        self._redis = client

    @contextmanager
    def taking_in(self, principal: Principal, key: str | None) -> Iterator[Callable[[], None]]:
        """Hold the key while its request is taken in; call what is given every second, to hold it longer.

        Raises:
            KeyInUse: another request with this key is being taken in.
        """
        if key is None:
            yield lambda: None
            return
        name, mine = f"idempotency:{principal.project_id}:{key}", uuid4().hex
        self._hold(name, mine)
        try:
            yield lambda: self._hold_longer(name)
        finally:
            self._let_go(name, mine)

    def _hold(self, name: str, mine: str) -> None:
        try:
            held = self._redis.set(name, mine, nx=True, ex=HOLD_S)
        except RedisError:
            return  # the commit will tell
        if not held:
            raise KeyInUse

    def _hold_longer(self, name: str) -> None:
        try:
            self._redis.expire(name, HOLD_S)
        except RedisError:
            return  # the commit will tell

    def _let_go(self, name: str, mine: str) -> None:
        try:
            if self._redis.get(name) == mine.encode():
                self._redis.delete(name)
        except RedisError:
            return  # it goes by itself


def find_job(work: Work, principal: Principal, key: str, print_: str) -> UUID | None:
    """The job that this key made, or None.

    Raises:
        KeyMismatch: the key was used for another request.
    """
    query = select(IdempotencyKey).where(
        IdempotencyKey.project_id == principal.project_id,
        IdempotencyKey.key == key,
        IdempotencyKey.created_at > func.now() - LIFE,
    )
    known = work.session.scalar(query)
    if known is None:
        return None
    if known.fingerprint != print_:
        raise KeyMismatch
    return known.job_id


def remember(work: Work, principal: Principal, key: str, print_: str, job_id: UUID) -> None:
    """Write the key down with its job; an expired one makes room.

    Raises:
        IntegrityError: another request with this key was faster (on flush).
    """
    work.session.execute(
        delete(IdempotencyKey).where(
            IdempotencyKey.project_id == principal.project_id,
            IdempotencyKey.key == key,
            IdempotencyKey.created_at <= func.now() - LIFE,
        )
    )
    work.session.add(IdempotencyKey(project_id=principal.project_id, key=key, fingerprint=print_, job_id=job_id))
    work.session.flush()


def forget_expired(work: Work) -> int:
    """Remove the keys that no longer hold; returns how many."""
    gone = work.session.execute(
        delete(IdempotencyKey).where(IdempotencyKey.created_at <= func.now() - LIFE).returning(IdempotencyKey.key)
    )
    return len(gone.all())


__all__ = ["IdempotencyKeys", "IntegrityError", "checked_key", "find_job", "fingerprint", "forget_expired", "remember"]
