"""What can keep the service from starting."""

import errno


class LaunchError(Exception):
    """The service cannot start; the message is one line that says why and what would help."""


def is_disk_full(error: OSError | str) -> bool:
    """Whether an error, or what a server wrote about one, comes from a full disk."""
    if isinstance(error, OSError):
        return error.errno in {errno.ENOSPC, errno.EDQUOT}
    return "No space left on device" in error or "Disk quota exceeded" in error
