"""A process that is started again when it ends by itself."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from app.embedded.errors import LaunchError
from app.embedded.process import Process

FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 30.0
# Whatever ran this long ended for another reason than the time before.
PROVEN_S = 60.0


@dataclass(slots=True)
class Watched:
    """`start` is how it is started again; waits longer each time that it does not last."""

    process: Process
    start: Callable[[], None]
    tell: Callable[[str], None]
    _wait_s: float = FIRST_WAIT_S
    _due_s: float | None = field(default=None)

    def look(self) -> None:
        """Notice that it ended, or start it again if that is due; to be called often."""
        if self._due_s is not None:
            self._start_if_due()
        elif not self.process.is_running:
            self._plan_start()

    def _plan_start(self) -> None:
        lasted_s = time.monotonic() - self.process.started_s
        self._wait_s = FIRST_WAIT_S if lasted_s > PROVEN_S else min(self._wait_s, LONGEST_WAIT_S)
        self.tell(f"{self._name} ended ({_how(self.process.exit_code)}); it is started again in {self._wait_s:.0f} s.")
        self.process.kill_group()
        self._due_s = time.monotonic() + self._wait_s
        self._wait_s *= 2

    def _start_if_due(self) -> None:
        if self._due_s is None or time.monotonic() < self._due_s:
            return
        self._due_s = None
        try:
            self.start()
        except LaunchError as error:
            self.tell(str(error))

    @property
    def _name(self) -> str:
        return self.process.command.name


def _how(exit_code: int | None) -> str:
    return f"signal {-exit_code}" if exit_code is not None and exit_code < 0 else f"exit code {exit_code}"
