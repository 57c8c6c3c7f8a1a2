"""RQ on Redis: worker-pool."""

from bench_row import REDIS, run
from redis import Redis
from rq import Queue

queue = Queue("default", connection=Redis(unix_socket_path=REDIS))


def enqueue(*job: object) -> None:
    queue.enqueue(run, *job)
