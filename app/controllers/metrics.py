"""Metrics in the form that Prometheus reads."""

from flask import Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from app.controllers.context import services
from app.controllers.snapshot_metrics import SnapshotCollector
from app.observability.metrics import scrape_registry


def get_metrics() -> Response:
    """What all processes have counted, and how things stand now."""
    registry = scrape_registry()
    registry.register(SnapshotCollector(services().operations.snapshot()))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
