"""When a message that was not taken is tried again."""

import random

WAITS_S: tuple[float, ...] = (5, 30, 120, 600, 1800, 3600, 7200, 10_800, 14_400, 18_000, 21_600)
"""After the first try, the second …: from seconds to hours, a bit under a day in all."""

JITTER = 0.2


def wait_s(attempts: int, waits_s: tuple[float, ...] = WAITS_S) -> float | None:
    """Seconds to wait after so many tries, ± 20 %; None when it is given up.

    The jitter keeps a receiver that comes back from being met by everything at once.
    """
    if attempts > len(waits_s):
        return None
    return waits_s[attempts - 1] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - no secret depends on it
