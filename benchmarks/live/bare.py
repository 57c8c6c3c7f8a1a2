"""A bare live server, in the shape that small servers of the field have: one process, one WebSocket, nothing kept.

Each frame goes to the recogniser in a pool of threads, as many as there are cores, and the answers go straight back.
It speaks ours' messages, so that the same clients can talk to both. `python -m benchmarks.live.bare ENGINE PORT`.
"""

import asyncio
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from websockets.asyncio.server import ServerConnection, serve

from app.domain.job import JobOptions
from app.engines.base import Hardware
from app.engines.hardware import limit_threads
from app.engines.registry import build_registry
from app.engines.selection import select
from app.engines.streaming import Heard, Hypothesis, StreamingModel, StreamingRecognizer, StreamOptions, Utterance
from app.engines.streaming_models import open_streaming_model
from app.exports.wire import segment_to_wire

ONE_AT_A_TIME = {"whisper"}
"""openai-whisper keeps what it is at on the model itself: two threads spoil each other's work."""


def said(heard: Heard) -> str | None:
    """The message of ours that tells it."""
    if isinstance(heard, Hypothesis):
        return json.dumps({"type": "partial", "end": heard.end_sample / 16_000, "text": heard.text})
    if isinstance(heard, Utterance):
        return json.dumps({"type": "final", "segment": segment_to_wire(heard.segment)})
    return None


async def session(pool: ThreadPoolExecutor, model: StreamingModel, socket: ServerConnection) -> None:
    """One client."""
    loop = asyncio.get_running_loop()
    recognizer: StreamingRecognizer = await loop.run_in_executor(pool, model.open, StreamOptions(language="en"))
    async for frame in socket:
        is_sound = isinstance(frame, bytes)
        work = partial(accept, recognizer, frame) if is_sound else recognizer.finish
        for heard in await loop.run_in_executor(pool, work):
            text = said(heard)
            if text:
                await socket.send(text)
        if not is_sound:
            await socket.send(json.dumps({"type": "completed"}))
            return


def accept(recognizer: StreamingRecognizer, frame: bytes) -> list[Heard]:
    """What is heard in s16le sound."""
    return list(recognizer.accept(np.frombuffer(frame, "<i2").astype(np.float32) / 32768))


async def main(engine: str, port: int) -> None:
    """Serve until killed."""
    n_threads = 1 if engine in ONE_AT_A_TIME else os.cpu_count() or 1
    # Whoever hears one at a time has all cores for it; else engines' own threads would fight for them.
    hardware = Hardware(n_threads=(os.cpu_count() or 1) // n_threads)
    limit_threads(hardware)
    registry = build_registry(Path(os.environ["WEIGHTS_DIR"]))
    choice = select(registry, JobOptions(engine=engine, language="en"), live=True)
    model = open_streaming_model(choice, hardware)
    with ThreadPoolExecutor(n_threads) as pool:
        async with serve(
            partial(session, pool, model), "127.0.0.1", port, max_size=None, compression=None, ping_interval=None
        ):
            print("ready", flush=True)
            await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
