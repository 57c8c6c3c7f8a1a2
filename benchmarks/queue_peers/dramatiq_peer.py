"""dramatiq on Redis."""

import dramatiq
from bench_row import REDIS, run
from dramatiq.brokers.redis import RedisBroker

dramatiq.set_broker(RedisBroker(url=f"unix://{REDIS}"))


@dramatiq.actor
def task(job_id: str, enqueued_at: float, kind: str, seconds: float) -> None:
    run(job_id, enqueued_at, kind, seconds)


def enqueue(*job: object) -> None:
    task.send(*job)
