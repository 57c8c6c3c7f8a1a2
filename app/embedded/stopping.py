"""Signals that ask the launcher to stop become one exception, once."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def stop_signals() -> Iterator[None]:
    """In the block, the first such signal raises KeyboardInterrupt; those after it are ignored, for the stop is short.

    A signal that was ignored before (`nohup`) stays ignored.
    """
    before = {one: signal.getsignal(one) for one in STOPPING}
    for one, handler in before.items():
        if handler is not signal.SIG_IGN:
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
