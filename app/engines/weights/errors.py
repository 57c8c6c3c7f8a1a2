"""What can go wrong with weights; each message is one line, without a full stop, for the operator who asked.

Jobs and their clients never see these: they are no part of the tree in `app.domain.errors`.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class WeightsError(Exception):
    """Weights cannot be fetched, checked, placed or removed; the message says why."""


class UnknownWeights(WeightsError):
    """There are no such weights."""


class NoRoom(WeightsError):
    """The disk is full."""


@contextmanager
def while_writing(what: str) -> Iterator[None]:
    """Give a disk that is full during the work inside as `NoRoom`."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise NoRoom(f"There is no room left on the disk for {what}") from error
        raise
