"""One client that sends hours of sound as fast as it is taken: `python -m benchmarks.live.marathon URL …`.

Prints a JSON line after the first minute of sound has been committed, one every ten minutes of it, and one at the end.
"""

import argparse
import asyncio
import json
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from benchmarks.live.talker import read_sound

FRAME_S = 1.0
TELL_EVERY_S = 600


class Marathon:
    """The stream, and what is told of it."""

    def __init__(self, sound: bytes, rate_hz: int, seconds: float) -> None:
        self._sound = sound
        self._rate_hz = rate_hz
        self._seconds = int(seconds)
        self._may_send = asyncio.Event()
        self._may_send.set()
        self._first_minute = asyncio.Event()
        self._told_s = 0

    async def run(self, url: str) -> None:
        """Send and listen to the end."""
        async with connect(url, max_size=None, ping_interval=None) as socket:
            listening = asyncio.create_task(self._listen(socket))
            await self._send(socket, 0, 60)
            await self._first_minute.wait()
            tell(minute=True)
            await asyncio.sleep(2)
            await self._send(socket, 60, self._seconds)
            await socket.send(json.dumps({"type": "stop"}))
            completed = await listening
        drift = round(completed["duration"] * self._rate_hz) - self._seconds * self._rate_hz
        tell(drift_samples=drift)

    async def _send(self, socket: ClientConnection, start: int, end: int) -> None:
        frame = round(self._rate_hz * FRAME_S) * 2
        for second in range(start, end):
            await self._may_send.wait()
            at = second * frame % (len(self._sound) - frame + 1)
            await socket.send(self._sound[at : at + frame])

    async def _listen(self, socket: ClientConnection) -> dict[str, Any]:
        async for text in socket:
            event = json.loads(text)
            if event["type"] == "flow":
                (self._may_send.set if event.get("action", event.get("flow")) == "resume" else self._may_send.clear)()
            elif event["type"] == "ack":
                self._committed(event["committed"] // self._rate_hz)
            elif event["type"] == "completed":
                return dict(event)
            elif event["type"] == "error":
                raise SystemExit(f"error: {event}")
        raise SystemExit("the stream ended before its time")

    def _committed(self, sound_s: int) -> None:
        if sound_s > 50:
            self._first_minute.set()
        if sound_s - self._told_s >= TELL_EVERY_S:
            self._told_s = sound_s - sound_s % TELL_EVERY_S
            tell(sound_s=self._told_s)


def tell(**facts: object) -> None:
    print(json.dumps(facts), flush=True)


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--sound", type=Path, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    asked = parser.parse_args()
    sound, rate_hz = read_sound(asked.sound)
    asyncio.run(Marathon(sound, rate_hz, asked.seconds).run(asked.url))


if __name__ == "__main__":
    main()
