"""Lengths of time as people write them: `90s`, `15m`, `12h`, `30d`."""

import argparse
import re

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
MAX_S = 100 * 365 * 86_400
AGE = re.compile(r"(\d+(?:\.\d+)?)([smhd])")


def age_s(text: str) -> float:
    """The seconds of an age.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    found = AGE.fullmatch(text.strip())
    seconds = float(found[1]) * SECONDS[found[2]] if found else None
    if seconds is None or seconds > MAX_S:
        raise argparse.ArgumentTypeError(f"{text!r} is no age; 90s, 15m, 12h and 30d are")
    return seconds
