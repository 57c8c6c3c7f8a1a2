"""Signals that ask the launcher to stop become one exception, once."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def stop_signals() -> Iterator[None]:
    """In the block, the first such signal raises KeyboardInterrupt; those after it are ignored, for the stop is short.

    A hang-up that was ignored before (`nohup`) stays ignored; a shell that starts us in the background ignores
    Ctrl-C too, but whoever sends that signal to us then means it.
    """
    before = {one: signal.getsignal(one) for one in STOPPING}
    for one, handler in before.items():
        if one is not signal.SIGHUP or handler is not signal.SIG_IGN:
            signal.signal(one, _raise_once)
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _raise_once(_number: int, _frame: FrameType | None) -> None:
    for one in STOPPING:
        signal.signal(one, signal.SIG_IGN)
    raise KeyboardInterrupt
