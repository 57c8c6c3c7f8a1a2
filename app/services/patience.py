"""PostgreSQL that neither answers nor goes away (frozen, or its machine hangs) is given up after a while.

Its own `statement_timeout` does not help then, nor do keep-alives: the kernel still answers for it. So psycopg2 waits
through a callback of ours, which looks at the clock; the connection of a statement that was given up is closed. Under
gevent `select.poll` is a cooperative one, so that the same callback lets other requests go on meanwhile.
"""

import select
import time

from psycopg2 import OperationalError
from psycopg2.extensions import (
    POLL_OK,
    POLL_READ,
    STATUS_IN_TRANSACTION,
    STATUS_PREPARED,
    STATUS_READY,
    connection,
    set_wait_callback,
)

CONNECT_S = 5.0
USUAL_S = 65.0
CONNECTED = {STATUS_READY, STATUS_IN_TRANSACTION, STATUS_PREPARED}


class Patient(connection):  # type: ignore[misc]
    """A connection that waits `patience_s` for the answer to a statement; more than the server's own limit."""

    patience_s = USUAL_S


def patient(patience_s: float) -> type[Patient]:
    """What `psycopg2.connect` takes as `connection_factory`; holds once `install` was called."""
    return type("Patient", (Patient,), {"patience_s": patience_s})


def install() -> None:
    """Have all connections of this process wait through `wait`."""
    set_wait_callback(wait)


def wait(waiting: connection) -> None:
    """Wait until the connection has its answer.

    Raises:
        OperationalError: it did not come in time; psycopg2 closes the connection.
    """
    is_connected = waiting.status in CONNECTED
    limit_s = getattr(waiting, "patience_s", USUAL_S) if is_connected else CONNECT_S
    deadline_s = time.monotonic() + limit_s
    while (state := waiting.poll()) != POLL_OK:
        poll = select.poll()
        poll.register(waiting.fileno(), select.POLLIN if state == POLL_READ else select.POLLOUT)
        left_s = deadline_s - time.monotonic()
        if left_s <= 0 or not poll.poll(left_s * 1000):
            raise OperationalError(f"PostgreSQL did not answer within {limit_s:g} s")
