"""The dashboard, the alert rules and the operator's page speak of metrics that are there."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY
from prometheus_client.core import Metric

from app.controllers.snapshot_metrics import SnapshotCollector
from app.observability import metrics
from app.queues.presence import WorkerPresence
from app.services.operations.snapshot import LastHour, Pending, QueueState, RunErrors, Snapshot, Space

OPERATING = Path(__file__).resolve().parents[2] / "docs" / "operating"
PAGE = (OPERATING / "README.md").read_text(encoding="utf-8")
ALERTS: list[dict[str, Any]] = yaml.safe_load((OPERATING / "alerts.yml").read_text(encoding="utf-8"))["groups"][0][
    "rules"
]
DASHBOARD: dict[str, Any] = json.loads((OPERATING / "grafana-dashboard.json").read_text(encoding="utf-8"))

FULL = Snapshot(
    at=datetime.now(UTC),
    database=True,
    redis=True,
    queues=(QueueState("batch_queue", "batch", 1, 1, 1.0, 1, 0, 1, 0.1, 0.2, 0.3),),
    workers=(
        WorkerPresence("host:1:abc", "batch", 1, 0, tries={"delivered": 1}),
        WorkerPresence("host:2:abc", "streaming", 1, 0),
    ),
    last_hour=LastHour({"FAILED": 1}, {"poisoned": 1}, (RunErrors("crash", "child_died", 1),)),
    storage=Space(1, 2),
    deliveries=Pending(1, 2.0),
)


def families() -> list[Metric]:
    """All that `/metrics` tells when there is something of everything."""
    metrics.count_request("GET", "/x", 200, 0.1)
    metrics.count_upload(1)
    metrics.count_job("batch")
    counted = [family for family in REGISTRY.collect() if family.name.startswith("parloir_")]
    return [*counted, *SnapshotCollector(FULL).collect()]


def exported() -> dict[str, set[str]]:
    """The names of the series, each with its labels."""
    return {sample.name: set(sample.labels) for family in families() for sample in family.samples}


def panels() -> list[dict[str, Any]]:
    return list(DASHBOARD["panels"])


def queries() -> list[str]:
    shown = [target["expr"] for panel in panels() for target in panel["targets"]]
    return [*shown, *(alert["expr"] for alert in ALERTS)]


def selectors(query: str) -> list[tuple[str, set[str]]]:
    """The series that a query names, each with the labels that it matches on."""
    found = re.findall(r"\b(parloir_\w+)(?:\{([^}]*)\})?", query)
    return [(name, set(re.findall(r"(\w+)\s*(?:=|!=|=~|!~)\"", matchers))) for name, matchers in found]


@pytest.mark.parametrize("query", queries())
def test_each_query_names_series_and_labels_that_are_exported(query: str):
    known = exported()
    named = selectors(query)
    assert named
    for name, labels in named:
        assert name in known, f"{name} is not exported"
        assert labels <= known[name], f"{name} has no {labels - known[name]}"
    grouped = {label.strip() for group in re.findall(r"\bby \(([^)]*)\)", query) for label in group.split(",")}
    assert grouped <= set().union(*(known[name] for name, _ in named)), query


@pytest.mark.parametrize("query", queries())
def test_each_query_closes_what_it_opens(query: str):
    bare = re.sub(r'"[^"]*"', "", query)
    for opening, closing in ("()", "{}", "[]"):
        assert bare.count(opening) == bare.count(closing)


def test_legends_name_labels_that_the_query_keeps():
    for panel in panels():
        for target in panel["targets"]:
            kept = {one.strip() for group in re.findall(r"by \(([^)]*)\)", target["expr"]) for one in group.split(",")}
            assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= kept, target


def test_panels_have_their_own_ids_and_do_not_overlap():
    assert len({panel["id"] for panel in panels()}) == len(panels())
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels())
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


def test_each_metric_is_told_of_in_the_operators_page():
    told = set(re.findall(r"`(parloir_\w+)`", PAGE))
    suffixes = r"_(bucket|sum|count|created)$"
    names = {re.sub(suffixes, "", name) if "http_request_seconds" in name else name for name in exported()}
    assert {name for name in names if not name.endswith("_created")} == told


def test_each_alert_says_what_to_do():
    told = re.findall(r"^### (\w+)$", PAGE, flags=re.MULTILINE)
    assert [alert["alert"] for alert in ALERTS] == told
    for alert in ALERTS:
        assert alert["annotations"]["runbook"] == f"README.md#{alert['alert'].lower()}"
        assert alert["labels"]["severity"] in {"critical", "warning"}
        assert alert["annotations"]["summary"]


@pytest.mark.parametrize(
    "metric",
    [
        'parloir_worker_slots{mode="batch"}',
        'parloir_worker_slots{mode="streaming"}',
        'parloir_worker_slots{mode="diarization"}',
        "parloir_stream_lag_seconds",
        "parloir_queue_oldest_seconds",
        "parloir_deliveries_overdue_seconds",
        "parloir_queue_drift",
        "parloir_last_hour_jobs_poisoned",
        "parloir_last_hour_crashes",
        'parloir_http_requests_total{status=~"5.."}',
        'parloir_backing_up{service="database"}',
        'parloir_backing_up{service="redis"}',
        "parloir_storage_free_bytes",
    ],
)
def test_there_is_an_alert_on_what_matters_most(metric: str):
    assert any(metric in alert["expr"] for alert in ALERTS)
