"""How long to wait before trying again."""

import random


def backoff_s(failures: int, *, base_s: float = 2.0, cap_s: float = 300.0, jitter: float = 0.25) -> float:
    """Seconds to wait after the `failures`-th failure (from 1): doubling from `base_s`, capped, ± `jitter`.

    The jitter keeps jobs that failed together from coming back together.
    """
    wait_s = min(cap_s, base_s * 2 ** (max(failures, 1) - 1))
    return float(wait_s * random.uniform(1 - jitter, 1 + jitter))  # noqa: S311 - no secret depends on it
