"""What clients of live sessions send, on its way to a worker: a Redis Stream for each session.

An entry's id is `<end byte>-<n>`, counted from the start of the client's stream, so that Redis itself refuses what it
has already, and a reader knows where it is without any counter. n is 0 for sound and counts up for controls. Losing
all of it costs the client sending again what is after the committed position.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import redis
from redis.exceptions import RedisError

from app.domain.errors import ParloirError, StreamLost, TakenOver, Unavailable
from app.queues.direct import Command, Direct, joined, packed_part
from app.queues.live_keys import KEEP_S, OWNER_LIVES_S, keys_of
from app.queues.scripts import Script

SOUND, FINALIZE, END = "a", "f", "e"
ENTRIES_AT_ONCE = 8
"""Most entries of one session that one look takes in: with 32 KiB each, what waits in memory stays bounded."""

APPENDS_AT_ONCE = 200
"""Most sessions that one run of the script adds to: Redis does nothing else meanwhile, for some 2 ms."""

MANY = 50
"""Sessions of one reader that seldom get sound one at a time."""

MOST_SESSIONS = 1000
"""Sessions of one reader whose questions are kept as they are sent; with more it is only slower."""

LOST, OTHERS = -1, -2
"""What the scripts answer in place of a count of bytes."""


_AT_ONCE = [packed_part(part) for part in ("XREAD", "COUNT", ENTRIES_AT_ONCE)]
_WAITING, _OF = [*_AT_ONCE, packed_part("BLOCK")], [packed_part("STREAMS")]


@dataclass(frozen=True, slots=True)
class Append:
    """Sound to be added: the bytes from `start_byte` on. `owner` is `<gateway>:<connection>`."""

    job_id: str
    owner: str
    start_byte: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that came in: sound that ends at `end_byte`, or a control (`kind` FINALIZE or END) at this place."""

    job_id: str
    end_byte: int
    n: int
    kind: str
    data: bytes = b""

    @property
    def start_byte(self) -> int:
        """Where the sound starts."""
        return self.end_byte - len(self.data)


@dataclass(frozen=True, slots=True)
class Held:
    """What Redis knows of a session: bytes received (None: nothing is known), and whether a connection owns it."""

    received: int | None
    has_owner: bool


class LiveInput:
    """The input of sessions: gateways add, one worker reads and trims."""

    def __init__(self, client: "redis.Redis") -> None:
        """A client for `read` must bear waiting (`connect` with a `read_timeout_s`)."""
        self._redis = client
        self._direct = Direct(client)
        self._take_over = Script(client, "live_take_over.lua")
        self._append = Script(client, "live_append.lua")
        self._control = Script(client, "live_control.lua")
        self._keep = Script(client, "live_keep.lua")

    def take_over(self, job_id: str, owner: str, received: int) -> int:
        """Become the owner; the one before is told. Returns the bytes held, `received` if Redis knows of none.

        Raises:
            Unavailable: Redis cannot be reached.
        """
        told = json.dumps({"job": job_id, "run": 0, "type": "taken_over", "owner": "%OWNER%"})
        return int(self._take_over.run(keys_of(job_id), [owner, received, KEEP_S, OWNER_LIVES_S, told]))

    def append(self, job_id: str, owner: str, start_byte: int, data: bytes) -> int:
        """Add sound; returns the bytes held. What is there already is not added twice.

        Raises:
            TakenOver: another connection owns the session.
            StreamLost: the sound does not follow on what is held.
            Unavailable: Redis cannot be reached.
        """
        [answer] = self.append_many([Append(job_id, owner, start_byte, data)])
        if isinstance(answer, ParloirError):
            raise answer
        return answer

    def append_many(self, appends: Sequence[Append]) -> list[int | ParloirError]:
        """Add sound to many sessions in one round trip; for each the bytes held, or why it was refused.

        Raises:
            Unavailable: Redis cannot be reached. Asking the same again adds nothing twice.
        """
        some = [appends[at : at + APPENDS_AT_ONCE] for at in range(0, len(appends), APPENDS_AT_ONCE)]
        answers = self._append.run_many([_append_call(one) for one in some])
        return [_answered(answer) for together in answers for answer in together]

    def control(self, job_id: str, owner: str, kind: str) -> None:
        """Add a control after the sound so far.

        Raises:
            TakenOver, StreamLost, Unavailable: as `append`.
        """
        answer = _answered(self._control.run(keys_of(job_id)[:2], [owner, kind, 0, KEEP_S]))
        if isinstance(answer, ParloirError):
            raise answer

    def end(self, job_id: str, byte: int) -> None:
        """End a session whose client has gone, not before `byte`, which its worker has read; no more sound is taken.

        Raises:
            Unavailable: Redis cannot be reached.
        """
        self._control.run(keys_of(job_id)[:2], ["", END, byte, KEEP_S])

    def keep_owner(self, owners: Mapping[str, str]) -> set[str]:
        """Say that these owners (by job) are there; those jobs that are no longer theirs, or lost, are returned.

        Raises:
            Unavailable: Redis cannot be reached.
        """
        calls = [(keys_of(job_id), [owner, OWNER_LIVES_S, KEEP_S]) for job_id, owner in owners.items()]
        answers = self._keep.run_many(calls) if calls else []
        return {job_id for job_id, kept in zip(owners, answers, strict=True) if not kept}

    def leave(self, job_id: str, owner: str) -> None:
        """The owner goes; nothing happens if it is not the owner any more.

        Raises:
            Unavailable: Redis cannot be reached.
        """
        self._keep.run(keys_of(job_id), [owner, 0, KEEP_S])

    def read(self, cursors: Mapping[str, tuple[int, int]], block_ms: int) -> list[Entry]:
        """What came in after each session's cursor (end byte, n); waits up to `block_ms` if nothing has.

        Raises:
            Unavailable: Redis cannot be reached.
        """
        streams = [_packed_key(job_id) for job_id in cursors] + [_packed_id(cursor) for cursor in cursors.values()]
        try:
            [found] = self._direct.packed(joined([*_WAITING, packed_part(block_ms), *_OF, *streams]), 1)
            if len(cursors) >= MANY and found and len(found) == 1:
                # Redis wakes a reader with the first session that gets anything; the others have theirs by now.
                [found] = self._direct.packed(joined([*_AT_ONCE, *_OF, *streams]), 1)
        except RedisError as error:
            raise Unavailable(service="queue") from error
        return [_entry(key[2:-3].decode(), *entry) for key, entries in found or () for entry in entries]

    def look(self, job_ids: Iterable[str]) -> dict[str, Held]:
        """What is known of sessions.

        Raises:
            Unavailable: Redis cannot be reached.
        """
        asked = list(job_ids)
        keys = [keys_of(job_id) for job_id in asked]
        answers = self._all(
            command for _, at, owner in keys for command in (("HGET", at, "received"), ("EXISTS", owner))
        )
        pairs = zip(answers[::2], answers[1::2], strict=True)
        held = [Held(int(received) if received else None, bool(there)) for received, there in pairs]
        return dict(zip(asked, held, strict=True))

    def trim(self, bytes_by_job: Mapping[str, int]) -> None:
        """Drop the sound that ends at or before these bytes.

        Raises:
            Unavailable: Redis cannot be reached.
        """
        self._all(("XTRIM", keys_of(job_id)[0], "MINID", f"{byte}-1") for job_id, byte in bytes_by_job.items())

    def forget(self, job_id: str) -> None:
        """Drop all of a session.

        Raises:
            Unavailable: Redis cannot be reached.
        """
        try:
            self._redis.delete(*keys_of(job_id))
        except RedisError as error:
            raise Unavailable(service="queue") from error

    def _all(self, commands: Iterable[Command]) -> list[Any]:
        try:
            return self._direct(*commands)
        except RedisError as error:
            raise Unavailable(service="queue") from error


def _answered(answer: int) -> int | ParloirError:
    if answer == OTHERS:
        return TakenOver()
    return StreamLost(service="queue") if answer == LOST else int(answer)


def _append_call(appends: Sequence[Append]) -> tuple[list[str], list[Any]]:
    """Keys and arguments of APPEND."""
    keys = [key for one in appends for key in keys_of(one.job_id)[:2]]
    return keys, [part for one in appends for part in (one.owner, one.start_byte, one.data)]


def _entry(job_id: str, entry_id: bytes, fields: Sequence[bytes]) -> Entry:
    end_byte, _, n = entry_id.partition(b"-")
    kind, data = fields
    return Entry(job_id, int(end_byte), int(n), kind.decode(), data)


@lru_cache(2 * MOST_SESSIONS)
def _packed_key(job_id: str) -> bytes:
    return packed_part(keys_of(job_id)[0])


@lru_cache(2 * MOST_SESSIONS)
def _packed_id(cursor: tuple[int, int]) -> bytes:
    return packed_part(b"%d-%d" % cursor)
