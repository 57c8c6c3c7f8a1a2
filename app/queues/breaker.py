"""A circuit breaker: once Redis was found gone, nobody waits for it any more."""

import threading
import time
import weakref
from collections.abc import Callable
from typing import Any, Self, TypeVar

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

T = TypeVar("T")
Ping = Callable[[], object]
REST_S = 1.0


class Breaker(Retry):
    """A broken connection is made anew once; a silence is not waited for twice.

    One for all connections of a client. The call that finds Redis silent or gone opens it; from then on calls are
    refused at once, and a thread asks in their stead until Redis answers: after a rest, so that of a Redis that is but
    slow no request waits for every call that it makes. It waits for one time-out at most, and only if it was under way
    when Redis went.
    """

    def __init__(self, ping: Ping, rest_s: float = REST_S) -> None:
        """`ping` asks Redis past this breaker, and raises what a call would; it is asked every `rest_s` seconds."""
        super().__init__(NoBackoff(), 1, (redis.ConnectionError,))
        self._ping = ping
        self._rest_s = rest_s
        self._lock = threading.Lock()
        self._is_open = False

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Connections copy what they are given; here they share it."""
        return self

    def call_with_retry(self, do: Callable[[], T], *args: Any, **kwargs: Any) -> T:
        """Do it, unless Redis was found gone and has not answered since."""
        if self._is_open:
            raise redis.ConnectionError("Redis did not answer a moment ago")
        try:
            return super().call_with_retry(do, *args, **kwargs)
        except (redis.ConnectionError, redis.TimeoutError):
            self._open()
            raise

    def close(self) -> None:
        """Let calls through again."""
        with self._lock:
            self._is_open = False

    def _open(self) -> None:
        with self._lock:
            if self._is_open:
                return
            self._is_open = True
        asking = (weakref.ref(self), self._ping, self._rest_s)
        threading.Thread(target=_ask_until_answered, args=asking, name="redis-probe", daemon=True).start()


def _ask_until_answered(breaker: "weakref.ref[Breaker]", ping: Ping, rest_s: float) -> None:
    """Close the breaker when Redis answers; give up once nobody has that breaker any more."""
    while breaker() is not None:
        time.sleep(rest_s)
        if _answers(ping) and (opened := breaker()) is not None:
            opened.close()
            return


def _answers(ping: Ping) -> bool:
    try:
        ping()
    except redis.RedisError:
        return False
    return True
