"""Metrics in the form that Prometheus reads."""

from collections.abc import Iterator

from flask import Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from app.controllers.context import services
from app.controllers.health import workers_by_mode
from app.observability.metrics import scrape_registry
from app.services.health import Health


def get_metrics() -> Response:
    """What all processes have counted, and how things stand now."""
    registry = scrape_registry()
    registry.register(HealthCollector(services().health.check()))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class HealthCollector(Collector):
    """How things stand, asked once for a scrape: any process may answer it, and none has to add up."""

    def __init__(self, health: Health) -> None:
        self._health = health

    def collect(self) -> Iterator[Metric]:
        """All gauges."""
        yield from self._backing()
        yield from self._queues()
        yield from self._slots()
        yield from self._totals()

    def _backing(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("parloir_backing_up", "Whether a backing service answers.", labels=["service"])
        up.add_metric(["database"], float(self._health.database))
        up.add_metric(["redis"], float(self._health.redis))
        yield up

    def _queues(self) -> Iterator[Metric]:
        waiting = GaugeMetricFamily("parloir_queue_waiting", "Jobs that wait.", labels=["queue"])
        running = GaugeMetricFamily("parloir_queue_running", "Jobs that run.", labels=["queue"])
        oldest = GaugeMetricFamily("parloir_queue_oldest_seconds", "How long the first waits.", labels=["queue"])
        hints = GaugeMetricFamily("parloir_queue_hints", "Hints in Redis.", labels=["queue"])
        for name, queue in self._health.queues.items():
            waiting.add_metric([name], queue.waiting)
            running.add_metric([name], queue.running)
            oldest.add_metric([name], queue.oldest_s)
            if queue.hints is not None:
                hints.add_metric([name], queue.hints)
        yield from (waiting, running, oldest, hints)

    def _slots(self) -> Iterator[Metric]:
        workers = GaugeMetricFamily("parloir_workers", "Worker processes that are there.", labels=["mode"])
        slots = GaugeMetricFamily("parloir_worker_slots", "Jobs that they can do at once.", labels=["mode"])
        busy = GaugeMetricFamily("parloir_worker_slots_busy", "Jobs that they do.", labels=["mode"])
        for mode, counts in workers_by_mode(self._health.workers).items():
            workers.add_metric([mode], counts["processes"])
            slots.add_metric([mode], counts["slots"])
            busy.add_metric([mode], counts["busy"])
        yield from (workers, slots, busy)

    def _totals(self) -> Iterator[Metric]:
        totals = CounterMetricFamily(
            "parloir_worker_runs", "Runs since a worker's start, by how they ended.", labels=["worker", "mode", "end"]
        )
        for worker in self._health.workers:
            for end in ("completed", "failed", "crashes", "fenced"):
                totals.add_metric([worker.name, worker.mode, end], getattr(worker, end))
        yield totals
