"""What the tables tell of the jobs in flight and of what ended lately. Each statement has its index."""

from datetime import timedelta
from typing import Any

from sqlalchemy import func, select, union_all
from sqlalchemy.orm import Session

from app.domain.delivery import DeliveryState
from app.domain.states import FINAL_STATES, JobState
from app.models import Delivery, Job, JobError
from app.services.operations.snapshot import LastHour, Pending, RunErrors, RunState

HOUR = timedelta(hours=1)
WAITS_OVER = timedelta(minutes=15)
MOST_WAITS = 5_000
MOST_RUNS = 1_000


def _seconds(interval: Any) -> Any:
    return func.extract("epoch", interval)


_started = union_all(
    select(Job.mode, Job.run_at, Job.started_at).where(Job.state == JobState.PROCESSING),
    select(Job.mode, Job.run_at, Job.started_at)
    .where(Job.finished_at > func.now() - WAITS_OVER)
    .order_by(Job.finished_at.desc())
    .limit(MOST_WAITS),
).subquery()
_wait_s = _seconds(_started.c.started_at - _started.c.run_at)

# A job that has been due again since its first run, after a failure say, was due later than it started: left out.
WAITS = (
    select(
        _started.c.mode,
        func.count(),
        func.percentile_cont(0.5).within_group(_wait_s),
        func.percentile_cont(0.99).within_group(_wait_s),
    )
    .where(_started.c.started_at >= _started.c.run_at, _started.c.started_at > func.now() - WAITS_OVER)
    .group_by(_started.c.mode)
)
RUNS = (
    select(
        Job.id,
        Job.mode,
        Job.attempt,
        Job.progress,
        _seconds(func.now() - Job.started_at),
        _seconds(func.now() - Job.beat_at),
        Job.worker,
    )
    .where(Job.state == JobState.PROCESSING)
    .order_by(Job.mode, Job.id)
    .limit(MOST_RUNS)
)
# Halves end as their parents do: counted with them, a diarization that fails would be two.
ENDED = (
    select(Job.state, Job.error_code, func.count())
    .where(Job.finished_at > func.now() - HOUR, Job.parent_id.is_(None))
    .group_by(Job.state, Job.error_code)
)
RUN_ERRORS = (
    select(JobError.kind, JobError.code, func.count())
    .where(JobError.at > func.now() - HOUR)
    .group_by(JobError.kind, JobError.code)
    .order_by(JobError.kind, JobError.code)
)

PENDING = select(func.count(), _seconds(func.now() - func.min(Delivery.next_at))).where(
    Delivery.state == DeliveryState.PENDING
)


def waits(session: Session) -> dict[str, tuple[int, float, float]]:
    """By mode: how many jobs were first claimed lately, and the median and 99th percentile of their waits, s."""
    return {mode: (n, float(p50), float(p99)) for mode, n, p50, p99 in session.execute(WAITS)}


def runs(session: Session) -> tuple[RunState, ...]:
    """The jobs in flight."""
    return tuple(_run(*row) for row in session.execute(RUNS))


def last_hour(session: Session) -> LastHour:
    """What ended within the last hour."""
    ended = {state.value: 0 for state in sorted(FINAL_STATES)}
    failed: dict[str, int] = {}
    for state, code, n in session.execute(ENDED):
        ended[state] += n
        if state == JobState.FAILED and code:
            failed[code] = failed.get(code, 0) + n
    errors = tuple(RunErrors(kind, code, n) for kind, code, n in session.execute(RUN_ERRORS))
    return LastHour(ended, failed, errors)


def pending(session: Session) -> Pending:
    """The deliveries that are not done."""
    n, overdue_s = session.execute(PENDING).one()
    return Pending(n, max(0.0, float(overdue_s or 0.0)))


def _run(
    job_id: Any, mode: str, attempt: int, progress: float, running_s: Any, beat_age_s: Any, worker: str | None
) -> RunState:
    age_s = None if beat_age_s is None else max(0.0, float(beat_age_s))
    return RunState(str(job_id), mode, attempt, progress, max(0.0, float(running_s or 0.0)), age_s, worker)
