"""Many clients in one process, each sending 100 ms of sound every 100 ms: `python -m benchmarks.live.talker URL …`.

What a client measures: an event that speaks of the sound up to `end` is answered for the chunk that held it, so its
latency is the event's arrival less that chunk's departure. What is left out at the start is warming up. Prints JSON.
"""

import argparse
import asyncio
import json
import math
import time
import wave
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.live.lean_socket import LeanSocket, connected

CHUNK_S = 0.1
APART_S = 0.053
"""Usually between the beginnings of two clients: nobody opens many sessions at once, and they must not send in step."""


@dataclass
class Heard:
    """What the clients of a run have measured, in ms. `behind`: clients whose last event came over a second late.

    `ends_ms`: for each client, from when its last sound, and its `stop`, are due to `completed`: all its sound is heard
    then, and all of its words are here. Not from when they are sent, so that a client that is slowed down is late.
    """

    partials_ms: list[float] = field(default_factory=list)
    finals_ms: list[float] = field(default_factory=list)
    final_ends_s: list[float] = field(default_factory=list)
    ends_ms: list[float] = field(default_factory=list)
    n_events: int = 0
    n_refused: int = 0
    behind: int = 0
    words: list[str] = field(default_factory=list)
    sent_s: float = 0.0


@dataclass(frozen=True)
class Load:
    """What the clients do, `apart_s` after each other; what is within `warm_s` of the last is not measured.

    `is_spread`: each begins at a place of its own in the sound, so that their utterances do not end together.
    """

    url: str
    sound: bytes
    rate_hz: int
    n_clients: int
    seconds: float
    warm_s: float
    apart_s: float = APART_S
    is_spread: bool = False

    @property
    def chunk_bytes(self) -> int:
        return round(self.rate_hz * CHUNK_S) * 2

    def first_chunk(self, number: int) -> int:
        """Where the client of this number begins."""
        n_chunks = len(self.sound) // self.chunk_bytes
        return number * n_chunks // self.n_clients if self.is_spread else 0

    def chunk(self, index: int) -> bytes:
        """The sound, over and over."""
        start = index * self.chunk_bytes % (len(self.sound) - self.chunk_bytes)
        start -= start % 2
        return self.sound[start : start + self.chunk_bytes]


class SpeakError(Exception):
    """The server said that it does not go on."""


class Client:
    """One stream from start to end."""

    def __init__(self, load: Load, to: Heard, number: int, warm_s: float) -> None:
        self._load = load
        self._first = load.first_chunk(number)
        self._to = to
        self._warm_s = warm_s
        self._sent_at: list[float] = []
        self._last_ms = self._stop_due = 0.0

    async def run(self) -> None:
        """Speak, and listen, to the end."""
        async with connected(self._load.url) as socket:
            listening = asyncio.create_task(self._listen(socket))
            try:
                await self._speak(socket)
                await asyncio.wait_for(listening, 60)
            finally:
                listening.cancel()
        self._to.sent_s += self._load.seconds
        self._to.behind += self._last_ms > 1000

    async def _speak(self, socket: LeanSocket) -> None:
        began, n_chunks = time.monotonic(), int(self._load.seconds / CHUNK_S)
        self._stop_due = began + (n_chunks - 1) * CHUNK_S
        for index in range(n_chunks):
            await asyncio.sleep(max(0.0, began + index * CHUNK_S - time.monotonic()))
            self._sent_at.append(time.monotonic())
            await socket.send(self._load.chunk(self._first + index))
        await socket.send(json.dumps({"type": "stop"}))

    async def _listen(self, socket: LeanSocket) -> None:
        async for text in socket:
            event = json.loads(text)
            kind = event.get("type")
            if kind in {"partial", "final"}:
                self._measure(event, time.monotonic())
            elif kind == "error":
                raise SpeakError(f"{event.get('code')}: {event.get('message')}")
            elif kind == "completed":
                self._to.ends_ms.append(1000 * (time.monotonic() - self._stop_due))
                return

    def _measure(self, event: dict[str, Any], now: float) -> None:
        is_final = event["type"] == "final"
        told = event["segment"] if is_final else event
        index = math.ceil(round(told["end"] / CHUNK_S, 3)) - 1
        self._to.n_events += 1
        if is_final:
            self._to.words.append(told["text"])
        if index * CHUNK_S < self._warm_s or index >= len(self._sent_at):
            return
        self._last_ms = 1000 * (now - self._sent_at[index])
        (self._to.finals_ms if is_final else self._to.partials_ms).append(self._last_ms)
        if is_final:
            self._to.final_ends_s.append(told["end"])


async def talk(load: Load) -> Heard:
    """Run all clients, begun one after the other; none is measured before the last is warm."""
    heard = Heard()

    async def one(number: int) -> None:
        await asyncio.sleep(number * load.apart_s)
        await Client(load, heard, number, load.warm_s + (load.n_clients - 1 - number) * load.apart_s).run()

    outcomes = await asyncio.gather(*map(one, range(load.n_clients)), return_exceptions=True)
    failed = [f"{type(one).__name__}: {one}" for one in outcomes if isinstance(one, BaseException)]
    heard.n_refused += len(failed)
    for what, times in Counter(failed).most_common():
        print(f"{times} × {what}", flush=True)
    return heard


def read_sound(path: Path) -> tuple[bytes, int]:
    """s16le mono samples of a WAV file, and their rate."""
    with wave.open(str(path), "rb") as file:
        if (file.getnchannels(), file.getsampwidth()) != (1, 2):
            raise SystemExit(f"{path} is not 16-bit mono")
        return file.readframes(file.getnframes()), file.getframerate()


def main() -> None:
    """Talk, and write what was heard."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--sound", type=Path, required=True)
    parser.add_argument("--clients", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--warm", type=float, default=5)
    parser.add_argument("--apart", type=float, default=APART_S)
    parser.add_argument("--spread", action="store_true")
    parser.add_argument("--json", type=Path, required=True)
    asked = parser.parse_args()
    sound, rate_hz = read_sound(asked.sound)
    load = Load(asked.url, sound, rate_hz, asked.clients, asked.seconds, asked.warm, asked.apart, asked.spread)
    heard = asyncio.run(talk(load))
    asked.json.write_text(json.dumps(asdict(heard)))


if __name__ == "__main__":
    main()
