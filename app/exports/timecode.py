"""Seconds as files write them: in whole milliseconds, so that rounding cannot put times out of order."""

import math


def milliseconds(seconds: float) -> int:
    """The nearest millisecond; what is no time at all (negative, infinite, not a number) counts as 0."""
    return max(0, round(seconds * 1000)) if math.isfinite(seconds) else 0


def seconds(time_s: float) -> float:
    """The time to the millisecond, as a number safe for JSON."""
    return milliseconds(time_s) / 1000


def clock(time_ms: int, point: str = ".") -> str:
    """`HH:MM:SS.mmm`; hours take as many digits as they need, at least two."""
    whole_s, rest_ms = divmod(time_ms, 1000)
    return f"{short_clock(whole_s)}{point}{rest_ms:03d}"


def short_clock(whole_s: int) -> str:
    """`HH:MM:SS`."""
    minutes, seconds_left = divmod(whole_s, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds_left:02d}"
