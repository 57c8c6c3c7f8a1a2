"""What every worker does beside its jobs, once a tick: find lost runs, restore hints, say that it is there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import redis
import structlog

from app.domain.errors import Unavailable
from app.queues.presence import WorkerPresence, announce, leave
from app.services.jobs.reaper import Reaper
from app.services.jobs.reconciler import Reconciler
from workers.tools import Stop

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Housekeeping:
    """The loop; `presence` tells what this worker is doing now, `others` are chores of its mode alone."""

    reaper: Reaper
    reconciler: Reconciler
    redis: "redis.Redis"
    presence: Callable[[], WorkerPresence]
    tick_s: float
    others: Sequence[Callable[[], int]] = ()

    def run(self, stop: Stop) -> None:
        """Tick until asked to stop."""
        while not stop.wait(self.tick_s):
            self._quietly(self.reaper.look)
            self._quietly(self.reconciler.step)
            for chore in self.others:
                self._quietly(chore)
            announce(self.redis, self.presence())
        leave(self.redis, self.presence().name)

    def _quietly(self, chore: Callable[[], int]) -> None:
        try:
            chore()
        except Unavailable as error:
            log.warning("chore_put_off", service=error.params["service"])
