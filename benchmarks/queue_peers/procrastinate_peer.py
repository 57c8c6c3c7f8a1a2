"""procrastinate on PostgreSQL."""

from bench_row import POSTGRES, run_async
from procrastinate import App, PsycopgConnector, SyncPsycopgConnector

app = App(connector=PsycopgConnector(conninfo=POSTGRES))


@app.task(name="bench")
async def task(job_id: str, enqueued_at: float, kind: str, seconds: float) -> None:
    await run_async(job_id, enqueued_at, kind, seconds)


_producer: App | None = None


def enqueue(job_id: object, enqueued_at: object, kind: object, seconds: object) -> None:
    global _producer
    if _producer is None:
        _producer = app.with_connector(SyncPsycopgConnector(conninfo=POSTGRES))
        _producer.open()
    given = {"job_id": job_id, "enqueued_at": enqueued_at, "kind": kind, "seconds": seconds}
    _producer.configure_task("bench").defer(**given)
