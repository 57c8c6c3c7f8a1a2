"""A circuit breaker: after a failure, do not ask again for a while."""

import time
from collections.abc import Callable
from typing import Any

from app.domain.errors import Unavailable


class Breaker:
    """Lets calls through until one finds the service down; then refuses at once for `rest_s` seconds."""

    def __init__(self, rest_s: float = 1.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._rest_s = rest_s
        self._clock = clock
        self._closed_again_at = 0.0

    def call(self, action: Callable[[], Any]) -> Any:
        """Do it.

        Raises:
            Unavailable: the service is down, or was a moment ago.
        """
        if self._clock() < self._closed_again_at:
            raise Unavailable(service="queue")
        try:
            return action()
        except Unavailable:
            self._closed_again_at = self._clock() + self._rest_s
            raise
