"""How things stand, as metrics: asked once for a scrape, so that any process may answer it and none has to add up."""

from collections.abc import Callable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from app.controllers.health import workers_by_mode
from app.domain.job import Mode
from app.services.operations.snapshot import LastHour, QueueState, Snapshot

QUEUE_GAUGES: tuple[tuple[str, str, Callable[[QueueState], float | None]], ...] = (
    ("parloir_queue_waiting", "Jobs that wait.", lambda queue: queue.waiting),
    ("parloir_queue_running", "Jobs that run.", lambda queue: queue.running),
    ("parloir_queue_oldest_seconds", "How long the first waits.", lambda queue: queue.oldest_s),
    ("parloir_queue_hints", "Hints in Redis.", lambda queue: queue.hints),
    ("parloir_queue_drift", "Due jobs without a hint in Redis.", lambda queue: queue.drift),
    ("parloir_queue_started", "Jobs first claimed in the last 15 minutes.", lambda queue: queue.n_started),
    (
        "parloir_queue_beat_age_seconds",
        "The longest time since a running job gave a sign of life.",
        lambda queue: queue.beat_age_s,
    ),
)


class SnapshotCollector(Collector):
    """The gauges of one snapshot. What cannot be told is left out, rather than told as 0."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterator[Metric]:
        """All gauges."""
        yield from self._backing()
        yield from self._queues()
        yield self._waits()
        yield from self._slots()
        yield self._lag()
        yield self._totals()
        yield from _last_hour(self._snapshot.last_hour)

    def _backing(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("parloir_backing_up", "Whether a backing service answers.", labels=["service"])
        up.add_metric(["database"], float(self._snapshot.database))
        up.add_metric(["redis"], float(self._snapshot.redis))
        yield up
        free = GaugeMetricFamily("parloir_storage_free_bytes", "Room on the disk of the recordings.")
        total = GaugeMetricFamily("parloir_storage_bytes", "Size of the disk of the recordings.")
        if self._snapshot.storage:
            free.add_metric([], self._snapshot.storage.free_bytes)
            total.add_metric([], self._snapshot.storage.total_bytes)
        yield from (free, total)

    def _queues(self) -> Iterator[Metric]:
        for name, meaning, value_of in QUEUE_GAUGES:
            gauge = GaugeMetricFamily(name, meaning, labels=["queue"])
            for queue in self._snapshot.queues:
                value = value_of(queue)
                if value is not None:
                    gauge.add_metric([queue.name], value)
            yield gauge

    def _waits(self) -> Metric:
        waits = GaugeMetricFamily(
            "parloir_queue_wait_seconds",
            "Time from due to the first claim, over the last 15 minutes.",
            labels=["queue", "quantile"],
        )
        for queue in self._snapshot.queues:
            for quantile, value in (("0.5", queue.wait_p50_s), ("0.99", queue.wait_p99_s)):
                if value is not None:
                    waits.add_metric([queue.name, quantile], value)
        return waits

    def _slots(self) -> Iterator[Metric]:
        workers = GaugeMetricFamily("parloir_workers", "Worker processes that are there.", labels=["mode"])
        slots = GaugeMetricFamily("parloir_worker_slots", "Jobs that they can do at once.", labels=["mode"])
        busy = GaugeMetricFamily("parloir_worker_slots_busy", "Jobs that they do.", labels=["mode"])
        for mode, counts in workers_by_mode(self._snapshot.workers).items():
            workers.add_metric([mode], counts["processes"])
            slots.add_metric([mode], counts["slots"])
            busy.add_metric([mode], counts["busy"])
        yield from (workers, slots, busy)

    def _lag(self) -> Metric:
        lag = GaugeMetricFamily(
            "parloir_stream_lag_seconds", "The longest that live sound waits to be heard.", labels=["worker"]
        )
        for worker in self._snapshot.workers:
            if worker.mode == Mode.STREAMING:
                lag.add_metric([worker.name], worker.lag_s)
        return lag

    def _totals(self) -> Metric:
        totals = CounterMetricFamily(
            "parloir_worker_runs", "Runs since a worker's start, by how they ended.", labels=["worker", "mode", "end"]
        )
        for worker in self._snapshot.workers:
            for end in ("completed", "failed", "crashes", "fenced"):
                totals.add_metric([worker.name, worker.mode, end], getattr(worker, end))
        return totals


def _last_hour(hour: LastHour | None) -> Iterator[Metric]:
    ended = GaugeMetricFamily("parloir_last_hour_jobs_ended", "Jobs ended in the last hour.", labels=["state"])
    failed = GaugeMetricFamily("parloir_last_hour_jobs_failed", "Of these, failed, by error.", labels=["code"])
    poisoned = GaugeMetricFamily("parloir_last_hour_jobs_poisoned", "Of these, given up for killing their workers.")
    crashes = GaugeMetricFamily("parloir_last_hour_crashes", "Runs whose process was lost in the last hour.")
    errors = GaugeMetricFamily(
        "parloir_last_hour_run_errors", "Runs that went wrong in the last hour.", labels=["kind", "code"]
    )
    if hour:
        for state, n in hour.ended.items():
            ended.add_metric([state], n)
        for code, n in hour.failed.items():
            failed.add_metric([code], n)
        for error in hour.run_errors:
            errors.add_metric([error.kind, error.code], error.n)
        poisoned.add_metric([], hour.poisoned)
        crashes.add_metric([], hour.crashes)
    yield from (ended, failed, poisoned, crashes, errors)
