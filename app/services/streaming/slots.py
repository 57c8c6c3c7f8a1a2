"""How many live sessions the workers can have at once, as they say themselves every second."""

import threading
import time

import redis
from redis.exceptions import RedisError

from app.domain.errors import Unavailable
from app.domain.job import Mode
from app.queues.presence import list_workers

KNOWN_FOR_S = 1.0
"""To ask is to look through all keys of Redis; what workers say is as old as this anyhow."""

BELIEVED_FOR_S = 3.0


class Slots:
    """Asks Redis, which knows the workers."""

    def __init__(self, client: "redis.Redis") -> None:
        self._redis = client
        self._n = 0
        self._asking = threading.Lock()
        self._asked_s = -BELIEVED_FOR_S

    def known(self) -> int:
        """The slots of a moment ago: good enough to let somebody in, not to turn somebody away.

        Raises:
            Unavailable: Redis has not been reached for some time.
        """
        known_for_s = time.monotonic() - self._asked_s
        if known_for_s < KNOWN_FOR_S:
            return self._n
        if known_for_s > BELIEVED_FOR_S:
            return self.now()
        if not self._asking.acquire(blocking=False):
            return self._n  # one is enough to ask
        try:
            return self.now()
        except Unavailable:
            return self._n  # whoever is let in needs Redis next, and waits for it a little
        finally:
            self._asking.release()

    def now(self) -> int:
        """The slots there are now.

        Raises:
            Unavailable: Redis cannot be reached.
        """
        try:
            self._redis.ping()
        except RedisError as error:
            raise Unavailable(service="queue") from error
        self._n = sum(worker.slots for worker in list_workers(self._redis) if worker.mode == Mode.STREAMING)
        self._asked_s = time.monotonic()
        return self._n
