"""The service at a glance, for the page."""

from typing import Any

from app.controllers.context import services

OF_A_WORKER = ("name", "mode", "slots", "busy", "completed", "failed", "crashes", "fenced")
"""Not which jobs it runs: they may be of other projects."""


def get_operations() -> dict[str, Any]:
    """Queues, workers and the last hour, as figures: what `/metrics` tells as well, and nobody's jobs."""
    told = services().operations.snapshot().to_dict()
    workers = [{name: worker[name] for name in OF_A_WORKER} for worker in told["workers"]]
    return {**told, "workers": workers}
