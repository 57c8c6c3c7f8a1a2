"""Servers and workers die under a live session: the command line's client comes back by itself and hears it all."""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import pytest

from app.cli.listening.client import LiveClient
from app.queues.presence import list_workers
from tests.faults.checker import broken_rules
from tests.faults.estate import Estate, make_estate, serving_process
from tests.live import CHUNK_BYTES, RATE_HZ, expected_starts, speech, words_of
from tests.workers import wait_for

N = 9
SOUND = speech(N)
CHUNK_S = CHUNK_BYTES / 2 / RATE_HZ
AWAY_S = 10.0
BUSY_S = 7.0
"""What a machine that does much else may add to a time."""

Heard = list[tuple[float, dict[str, Any]]]


@pytest.fixture(scope="module")
def running_estate():
    with make_estate() as estate:
        yield estate


@pytest.fixture
def estate(running_estate: Estate):
    running_estate.begin_anew()
    running_estate.site.settings = {"STREAM_SLOTS": "6"}
    yield running_estate
    assert broken_rules(running_estate.house) == [], running_estate.site.logs()


def said_now(sound: bytes) -> Iterator[bytes]:
    """Sound at the pace at which it is said."""
    began_s = time.monotonic()
    for n, at in enumerate(range(0, len(sound), CHUNK_BYTES)):
        time.sleep(max(0.0, began_s + n * CHUNK_S - time.monotonic()))
        yield sound[at : at + CHUNK_BYTES]


@contextmanager
def listening(url: str, heard: Heard) -> Iterator[Future[str]]:
    """The client in mid-stream: one final is there, most is not said yet."""
    client = LiveClient(url, {}, lambda message: heard.append((time.monotonic(), message)))
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(client.run, said_now(SOUND))
        wait_for(lambda: running.done() or finals(heard))
        yield running


def finals(heard: Heard) -> list[dict[str, Any]]:
    return [message for _, message in heard if message["type"] == "final"]


def is_undisturbed(heard: Heard, running: Future[str]) -> None:
    """Word for word what nothing would have disturbed: each final once, at its times."""
    assert running.result(90) == " ".join(words_of(N))
    assert [final["seq"] for final in finals(heard)] == list(range(1, N + 1))
    assert [final["segment"]["text"] for final in finals(heard)] == words_of(N)
    words = [word for final in finals(heard) for word in final["segment"]["words"]]
    assert [round(word["start"], 2) for word in words] == expected_starts(N)


def workers_are_there(estate: Estate, n: int = 1) -> None:
    wait_for(lambda: sum(one.slots > 0 for one in list_workers(estate.house.client)) == n)


@pytest.mark.long
@pytest.mark.timeout(180)
def test_redis_may_be_gone_for_a_while_and_come_back_empty(estate: Estate):
    heard: Heard = []
    with estate.api() as api, estate.site.worker(mode="streaming"):
        workers_are_there(estate)
        with listening(api.url, heard) as running:
            estate.kill_redis()
            try:
                time.sleep(AWAY_S)
                assert not running.done()
            finally:
                estate.revive_redis()
            is_undisturbed(heard, running)


@pytest.mark.long
@pytest.mark.timeout(180)
def test_redis_may_lose_everything(estate: Estate):
    heard: Heard = []
    with estate.api() as api, estate.site.worker(mode="streaming"):
        workers_are_there(estate)
        with listening(api.url, heard) as running:
            estate.house.client.flushall()
            is_undisturbed(heard, running)


@pytest.mark.long
@pytest.mark.timeout(180)
@pytest.mark.parametrize("how", ["gone", "silent"])
def test_finals_wait_while_postgres_is_away(estate: Estate, how):
    heard: Heard = []
    with estate.api() as api, estate.site.worker(mode="streaming"):
        workers_are_there(estate)
        with listening(api.url, heard) as running:
            break_postgres(estate, how)
            try:
                n_known = len(finals(heard))
                time.sleep(AWAY_S)
                assert len(finals(heard)) <= n_known + 1, "what is not stored is not told"
            finally:
                mend_postgres(estate, how)
            is_undisturbed(heard, running)


def break_postgres(estate: Estate, how: str) -> None:
    if how == "silent":
        estate.signal_postgres(signal.SIGSTOP)
        return
    os.kill(estate.postgres.process.pid, signal.SIGQUIT)
    estate.postgres.process.end(10)


def mend_postgres(estate: Estate, how: str) -> None:
    if how == "silent":
        estate.signal_postgres(signal.SIGCONT)
        return
    estate.postgres.start()
    estate.house.engine.dispose()


@pytest.mark.long
@pytest.mark.timeout(180)
def test_an_api_process_killed_in_mid_stream_costs_a_reconnect(estate: Estate):
    heard: Heard = []
    with estate.api() as api, estate.site.worker(mode="streaming"):
        workers_are_there(estate)
        with listening(api.url, heard) as running:
            killed = serving_process(api)
            killed.kill()
            is_undisturbed(heard, running)
        assert serving_process(api).pid != killed.pid


@pytest.mark.long
@pytest.mark.timeout(180)
def test_a_killed_worker_is_a_pause_of_eight_seconds_at_most(estate: Estate):
    """With the lease that everybody has; on the client's clock."""
    heard: Heard = []
    with estate.api() as api, estate.site.worker(mode="streaming") as first:
        workers_are_there(estate)
        with listening(api.url, heard) as running, estate.site.worker(mode="streaming"):
            workers_are_there(estate, 2)
            os.kill(first.pid, signal.SIGKILL)
            is_undisturbed(heard, running)
    pause_s = max(later - earlier for (earlier, _), (later, _) in pairwise(heard))
    print(f"the longest time without a word: {pause_s:.1f} s")
    assert pause_s <= 8.0 + BUSY_S
