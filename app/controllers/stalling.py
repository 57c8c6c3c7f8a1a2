"""Clients that stop sending in the middle of a request."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

STALL_S = 60.0


@contextmanager
def stalls_end(environ: Mapping[str, Any], after_s: float = STALL_S) -> Iterator[None]:
    """While the block lasts, a client that sends nothing for `after_s` counts as one that has hung up.

    Otherwise it could hold its place, and what it has sent so far, for as long as it likes.
    """
    socket = environ.get("gunicorn.socket")
    if socket is None:
        yield
        return
    usual = socket.gettimeout()
    socket.settimeout(after_s)
    try:
        yield
    finally:
        socket.settimeout(usual)
