"""Celery on Redis: prefork, acks_late."""

from bench_row import REDIS, TUNED, run
from celery import Celery

app = Celery("bench", broker=f"redis+socket://{REDIS}")
app.conf.update(
    task_acks_late=True,
    task_ignore_result=True,
    broker_connection_retry_on_startup=True,
    worker_hijack_root_logger=False,
)
if TUNED:
    app.conf.update(worker_prefetch_multiplier=16)


@app.task
def task(job_id: str, enqueued_at: float, kind: str, seconds: float) -> None:
    run(job_id, enqueued_at, kind, seconds)


def enqueue(*job: object) -> None:
    task.delay(*job)
