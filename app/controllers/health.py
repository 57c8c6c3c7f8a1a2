"""How the service is doing."""

from collections import defaultdict
from http import HTTPStatus
from typing import Any

from app.controllers.context import services
from app.queues.presence import WorkerPresence
from app.services.health import Health, QueueHealth


def get_health() -> tuple[dict[str, Any], HTTPStatus]:
    """Healthy, or 503: the database or Redis is down."""
    health = services().health.check()
    status = HTTPStatus.OK if health.is_healthy else HTTPStatus.SERVICE_UNAVAILABLE
    return _described(health), status


def get_live() -> dict[str, Any]:
    """This process answers; nothing else is asked."""
    return {"status": "live"}


def workers_by_mode(workers: tuple[WorkerPresence, ...]) -> dict[str, dict[str, int]]:
    """How many processes there are, how many jobs they can do at once, and how many they do."""
    modes: dict[str, dict[str, int]] = defaultdict(lambda: {"processes": 0, "slots": 0, "busy": 0})
    for worker in workers:
        modes[worker.mode]["processes"] += 1
        modes[worker.mode]["slots"] += worker.slots
        modes[worker.mode]["busy"] += worker.busy
    return dict(modes)


def _described(health: Health) -> dict[str, Any]:
    return {
        "status": "healthy" if health.is_healthy else "unhealthy",
        "queue_size": health.queue_size,
        "database": "up" if health.database else "down",
        "redis": "up" if health.redis else "down",
        "queues": {name: _queue(queue) for name, queue in health.queues.items()},
        "workers": workers_by_mode(health.workers),
    }


def _queue(queue: QueueHealth) -> dict[str, Any]:
    return {
        "waiting": queue.waiting,
        "running": queue.running,
        "oldest_seconds": round(queue.oldest_s, 1),
        "hints": queue.hints,
    }
