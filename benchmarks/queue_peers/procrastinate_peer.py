"""procrastinate on PostgreSQL."""

import asyncio
import atexit

from bench_row import POSTGRES, run_async
from procrastinate import App, PsycopgConnector

app = App(connector=PsycopgConnector(conninfo=POSTGRES))


@app.task(name="bench")
async def task(job_id: str, enqueued_at: float, kind: str, seconds: float) -> None:
    await run_async(job_id, enqueued_at, kind, seconds)


_loop = asyncio.new_event_loop()
_open: list[App] = []


def enqueue(job_id: str, enqueued_at: float, kind: str, seconds: float) -> None:
    if not _open:
        _loop.run_until_complete(app.open_async())
        _open.append(app)
        atexit.register(lambda: _loop.run_until_complete(app.close_async()))
    given = task.defer_async(job_id=job_id, enqueued_at=enqueued_at, kind=kind, seconds=seconds)
    _loop.run_until_complete(given)
