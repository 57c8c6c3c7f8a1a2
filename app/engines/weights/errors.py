"""What can go wrong with weights; each message is one line for the operator who asked."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from app.domain.errors import ParloirError

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class WeightsError(ParloirError):
    """{reason}."""

    code = "weights_error"

    def __init__(self, reason: str) -> None:
        super().__init__(reason=reason)


class UnknownWeights(WeightsError):
    """{reason}."""

    code = "unknown_weights"


class NoRoom(WeightsError):
    """{reason}."""

    code = "no_room"


@contextmanager
def while_writing(what: str) -> Iterator[None]:
    """Give a disk that is full during the work inside as `NoRoom`."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise NoRoom(f"There is no room left on the disk for {what}") from error
        raise
