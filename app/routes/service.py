"""The service itself: asked by probes and by whoever looks after it, as often as they like."""

from dataclasses import replace

from app.controllers import docs, health, metrics, operations, page
from app.routes.route import Answer, Route
from app.schemas.answers import HealthAnswer, LiveAnswer, OperationsAnswer

TAG = "service"
HTML = Answer("A page", content_types=("text/html",))

_ROUTES = (
    Route("GET", "/", page.get_page, "The page", TAG, HTML, is_told=False),
    Route("GET", "/web/<revision>/<path:name>", page.get_file, "What the page is made of", TAG, HTML, is_told=False),
    Route(
        "GET",
        "/health",
        health.get_health,
        "How the service is doing; 503: not well",
        TAG,
        Answer("Its state", HealthAnswer, wrap=None),
    ),
    Route(
        "GET",
        "/api/operations",
        operations.get_operations,
        "Queues, workers and the last hour",
        TAG,
        Answer("The service at this moment", OperationsAnswer),
    ),
    Route("GET", "/health/live", health.get_live, "Whether it answers", TAG, Answer("Yes", LiveAnswer, wrap=None)),
    Route(
        "GET", "/metrics", metrics.get_metrics, "For Prometheus", TAG, Answer("Metrics", content_types=("text/plain",))
    ),
    Route("GET", "/openapi.json", docs.get_openapi, "This document", TAG, Answer("It", wrap=None), is_told=False),
    Route("GET", "/docs", docs.get_docs, "This document, to try out", TAG, HTML, is_told=False),
    Route("GET", "/docs/<name>", docs.get_docs_asset, "What the page is made of", TAG, HTML, is_told=False),
)
ROUTES = tuple(replace(route, is_limited=False) for route in _ROUTES)
