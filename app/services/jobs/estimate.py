"""How long a running job will still take."""

from datetime import UTC, datetime

from app.domain.job import JobView
from app.domain.states import JobState

TOLD_FROM = 0.02


def eta_s(job: JobView) -> float | None:
    """Seconds left, from the progress made so far; None until it can be told."""
    if job.state is not JobState.PROCESSING or job.started_at is None or job.progress < TOLD_FROM:
        return None
    spent_s = (datetime.now(UTC) - job.started_at).total_seconds()
    return float(max(0.0, spent_s * (1 - job.progress) / job.progress))
