"""arq on Redis."""

import asyncio
from typing import Any

from arq import create_pool
from arq.connections import RedisSettings
from bench_row import REDIS, TUNED, run_async

SETTINGS = RedisSettings(unix_socket_path=REDIS)


async def task(_context: dict[str, Any], *job: Any) -> None:
    await run_async(*job)


class WorkerSettings:
    """What `arq` reads."""

    functions = (task,)
    redis_settings = SETTINGS
    keep_result = 0
    if TUNED:
        poll_delay = 0.005
        max_jobs = 50


_loop = asyncio.new_event_loop()
_pool: Any = None


def enqueue(*job: object) -> None:
    global _pool
    _pool = _pool or _loop.run_until_complete(create_pool(SETTINGS))
    _loop.run_until_complete(_pool.enqueue_job("task", *job))
