"""People who hand recordings in while everything breaks, and send again what was not answered."""

import random
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, Queue

import httpx

from tests.faults.estate import Estate
from tests.http_api import ServedApi

PROMPTS = ("", "", "sleep:0.2", "sleep:0.5", "sleep:1", "refuse")
DIARIZED = 0.3
"""The part of the jobs that are diarizations, where there is a worker for them."""
DIARIZERS = ("halves", "halves", "slow", "refuse")
N_CLIENTS = 3


@dataclass
class Clients:
    """They hand in `n_jobs` recordings, each until it is answered 202 or, without a key, was sent once in vain."""

    estate: Estate
    apis: list[ServedApi]
    seed: int
    n_jobs: int
    diarize: bool = False
    accepted: dict[str, str] = field(default_factory=dict)
    """What their engines were told to do, by the ids of the jobs that were answered 202."""
    n_unanswered: int = 0
    n_without_key: int = 0

    def __post_init__(self) -> None:
        self._todo: Queue[int] = Queue()
        for n in range(self.n_jobs):
            self._todo.put(n)
        self._threads = [threading.Thread(target=self._hand_in_all, daemon=True) for _ in range(N_CLIENTS)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def are_done(self) -> bool:
        return not any(thread.is_alive() for thread in self._threads)

    def _hand_in_all(self) -> None:
        with suppress(Empty):
            while True:
                self._hand_in(self._todo.get_nowait())

    def _hand_in(self, n: int) -> None:
        chance = random.Random(f"{self.seed} job {n}")
        prompt, api = chance.choice(PROMPTS), chance.choice(self.apis)
        key = f"chaos-{self.seed}-{n}" if chance.random() < 0.7 else None
        diarizer = chance.choice(DIARIZERS) if self.diarize and chance.random() < DIARIZED else ""
        self.n_without_key += key is None
        while True:
            if self._is_taken_in(api, prompt, key, diarizer) or key is None:
                return
            time.sleep(0.3)

    def _is_taken_in(self, api: ServedApi, prompt: str, key: str | None, diarizer: str) -> bool:
        try:
            answer = self.estate.submit(api, prompt, key, diarizer, timeout=10.0)
        except httpx.TransportError:
            self.n_unanswered += 1
            return False
        if answer.status_code == 202:
            self.accepted[answer.json()["data"]["job_uuid"]] = f"{prompt} {diarizer}".strip()
            return True
        assert answer.status_code in {409, 503}, f"{answer.status_code}: {answer.text}"
        self.n_unanswered += 1
        return False
