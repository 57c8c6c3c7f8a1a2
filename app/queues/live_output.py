"""What workers say of live sessions, on its way to the gateways.

Each gateway process has one channel, `live:<gateway>`. A worker does not know who has a session: Redis looks it up
when it tells (see `live_publish.lua`). What is said here may be lost; finals are in PostgreSQL.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import redis
import structlog
from redis.exceptions import RedisError

from app.queues.live_keys import channel_of, keys_of
from app.queues.scripts import Script

log = structlog.get_logger(__name__)

MESSAGES_AT_ONCE = 200
LISTENS_WITHIN_S = 2.0
GAP = "gap"
_ENCODER = json.JSONEncoder(separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class LiveMessage:
    """Something said of a session in its `run`-th run.

    Types and fields: partial: seq (that of the final to come), start, end (s), text.
    final: seq, segment (as in `result`), speech_final, alternatives (pairs of text and confidence), committed_byte.
    progress: read_byte (heard by the recogniser), committed_byte (no longer needed), received_byte and lag_s.
    completed: duration (s); all finals were told before. ended: state, of a job that was cancelled.
    error: code, params, fatal. taken_over: owner (the one that has to go).
    gap: made by `LiveFeed` itself: messages may have been missed; finals are to be read up from PostgreSQL.
    """

    job: str
    type: str
    run: int = 0
    fields: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """The form in which it travels, on one line."""
        return _ENCODER.encode({"job": self.job, "type": self.type, "run": self.run, **self.fields})

    @staticmethod
    def all_from_json(lines: bytes) -> "list[LiveMessage]":
        """What `to_json` wrote, line by line: together in half the time that they take one by one."""
        return [_message(told) for told in json.loads(b"[%b]" % lines.replace(b"\n", b","))]


def _message(told: dict[str, Any]) -> LiveMessage:
    return LiveMessage(told.pop("job"), told.pop("type"), told.pop("run"), told)


Deliver = Callable[[LiveMessage], None]


class LiveOutput:
    """The worker's side."""

    def __init__(self, client: "redis.Redis") -> None:
        self._publish = Script(client, "live_publish.lua")

    def publish(self, messages: Sequence[LiveMessage]) -> None:
        """Tell the gateways, in order; what nobody listens to is dropped.

        Raises:
            Unavailable: Redis cannot be reached.
        """
        for at in range(0, len(messages), MESSAGES_AT_ONCE):
            some = messages[at : at + MESSAGES_AT_ONCE]
            keys = [keys_of(one.job)[1] for one in some]
            self._publish.run(keys, [argument for one in some for argument in (one.run, one.to_json())])


class LiveFeed:
    """The gateway's side: one reader a process hands each message to whoever has the session here."""

    def __init__(self, client: "redis.Redis", gateway: str) -> None:
        """`client` must bear waiting (`connect` with a `read_timeout_s` above 5)."""
        self._redis = client
        self._channel = channel_of(gateway)
        self._lock = threading.Lock()
        self._listeners: dict[str, tuple[Deliver, ...]] = {}
        self._reader: threading.Thread | None = None
        self._is_listening = threading.Event()

    @contextmanager
    def listening(self, job_id: str, deliver: Deliver) -> Iterator[None]:
        """While the block lasts, `deliver` is called with all that is said of a session; it must not wait."""
        with self._lock:
            self._listeners[job_id] = (*self._listeners.get(job_id, ()), deliver)
            self._start_reader()
        self._is_listening.wait(LISTENS_WITHIN_S)
        try:
            yield
        finally:
            self._remove(job_id, deliver)

    def _remove(self, job_id: str, deliver: Deliver) -> None:
        with self._lock:
            others = tuple(one for one in self._listeners.pop(job_id) if one is not deliver)
            if others:
                self._listeners[job_id] = others

    def _start_reader(self) -> None:
        if self._reader is None:
            self._reader = threading.Thread(target=self._read_for_ever, name="live-feed", daemon=True)
            self._reader.start()

    def _read_for_ever(self) -> None:
        while self._is_mine():
            try:
                self._read()
            except RedisError as error:
                self._is_listening.clear()
                log.warning("live_feed_reconnects", error=type(error).__name__)
                time.sleep(0.2)

    def _read(self) -> None:
        with self._redis.pubsub(ignore_subscribe_messages=False) as channel:  # type: ignore[no-untyped-call]
            channel.subscribe(self._channel)
            while self._is_mine():
                message = channel.get_message(timeout=5.0)
                if message and message["type"] == "subscribe":
                    self._begin()
                elif message and message["type"] == "message":
                    for told in LiveMessage.all_from_json(message["data"]):
                        self._deliver(told)

    def _is_mine(self) -> bool:
        """Whether anybody listens, and this thread is to read; if nobody does, it ends."""
        with self._lock:
            if self._reader is not threading.current_thread():
                return False
            if self._listeners:
                return True
            self._is_listening.clear()
            self._reader = None
            return False

    def _begin(self) -> None:
        """Subscribed, perhaps again: what was said meanwhile is missed."""
        self._is_listening.set()
        for job_id in list(self._listeners):
            self._deliver(LiveMessage(job_id, GAP))

    def _deliver(self, message: LiveMessage) -> None:
        for deliver in self._listeners.get(message.job, ()):
            try:
                deliver(message)
            except Exception:  # one listener's trouble must not silence the others
                log.exception("live_listener_failed", job_id=message.job)
