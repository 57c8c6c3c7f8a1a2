"""What the API counts, over all of its processes.

Each process counts into files of `PROMETHEUS_MULTIPROC_DIR`, if that is set; a scrape, which any of them may answer,
adds them up. What the database and Redis know is asked at the scrape, once (`app.controllers.metrics`).
"""

import os

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram
from prometheus_client.multiprocess import MultiProcessCollector

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)

_requests = Counter("parloir_http_requests", "Requests answered.", ["method", "route", "status"])
_latency = Histogram(
    "parloir_http_request_seconds",
    "Time from a request to the end of its answer.",
    ["method", "route"],
    buckets=SECONDS,
)
_upload_bytes = Counter("parloir_upload_bytes", "Bytes of recordings taken in.")
_jobs = Counter("parloir_jobs_created", "Jobs taken in.", ["mode"])


def count_request(method: str, route: str, status: int, seconds: float) -> None:
    """A request was answered. `route` is its pattern; methods that nobody serves are counted as one."""
    known = method if method in METHODS else "other"
    _requests.labels(known, route, str(status)).inc()
    _latency.labels(known, route).observe(seconds)


def count_upload(n_bytes: int) -> None:
    """A recording was taken in."""
    _upload_bytes.inc(n_bytes)


def count_job(mode: str) -> None:
    """A job was taken in."""
    _jobs.labels(mode).inc()


def scrape_registry() -> CollectorRegistry:
    """The counts of all processes, for one scrape; more can be registered with it."""
    registry = CollectorRegistry()
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry.register(REGISTRY)
    return registry
