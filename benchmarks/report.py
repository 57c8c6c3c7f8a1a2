"""Figures, said the same way by every script."""

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0…1) of them lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered) + 0.5) - 1))]


def heading(title: str) -> None:
    """What is measured, where and when."""
    cores = len(os.sched_getaffinity(0))
    where = f"{platform.machine()}, {cores} cores, Python {platform.python_version()}"
    print(f"## {title}\n{where}, {datetime.now(UTC):%Y-%m-%d}\n")


def row(name: str, value: str, target: str = "") -> None:
    """One figure."""
    print(f"| {name} | {value} | {target} |")
