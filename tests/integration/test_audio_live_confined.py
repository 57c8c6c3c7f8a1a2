"""Live Opus decoded in a process of its own: the same sound, and whatever happens to the process is one session's."""

import resource
import time
from collections.abc import Iterator

import numpy as np
import psutil
import pytest

from app.audio.live import asking, confined
from app.audio.live.base import OPUS, RestartPoint
from app.audio.live.confined import Nursery
from app.audio.live.decoder import make_live_decoder
from app.domain.errors import ChildDied, MediaUnreadable
from tests.live import SOUND, as_opus
from tests.workers import wait_for

START = RestartPoint()
STEP = 777


@pytest.fixture(scope="module")
def shared() -> Iterator[Nursery]:
    nursery = Nursery()
    yield nursery
    nursery.close()


@pytest.fixture
def nursery() -> Iterator[Nursery]:
    nursery = Nursery()
    yield nursery
    nursery.close()


def fed(decoder, data: bytes) -> np.ndarray:
    return np.concatenate([decoder.feed(data[at : at + STEP]) for at in range(0, len(data), STEP)])


def decoders_of(nursery: Nursery) -> list[psutil.Process]:
    return sorted(psutil.Process(nursery.pid).children(), key=lambda one: one.pid)


@pytest.mark.parametrize("container", ["webm", "ogg"])
def test_the_sound_and_the_restart_points_are_those_of_a_decoder_here(shared, container):
    data = as_opus(SOUND, container)
    there, here = shared.decoder(START), make_live_decoder(OPUS, 48_000)
    assert np.array_equal(fed(there, data), fed(here, data))
    assert np.array_equal(there.flush(), here.flush())
    point = here.restart_at(6 * 16_000)
    assert there.restart_at(6 * 16_000) == point
    assert point.byte
    assert np.array_equal(
        fed(shared.decoder(point), data[point.byte :]), fed(make_live_decoder(OPUS, 0, point), data[point.byte :])
    )
    there.close()


def test_what_is_no_opus_is_refused_as_it_is_here(shared):
    decoder = shared.decoder(START)
    with pytest.raises(MediaUnreadable, match="it begins with something else"):
        decoder.feed(b"RIFF" + bytes(100))
    decoder.close()


def test_a_decoder_may_open_nothing_write_nothing_and_take_little_memory(nursery):
    decoder = nursery.decoder(START)
    [process] = decoders_of(nursery)
    kinds = (resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE, resource.RLIMIT_CORE)
    assert [process.rlimit(kind)[0] for kind in kinds] == [process.num_fds(), 0, 0]
    assert 0 < process.rlimit(resource.RLIMIT_AS)[0] < process.memory_info().vms + 200 * 1024**2
    decoder.close()


def test_a_decoder_that_dies_is_told_and_no_other_notices(nursery):
    data = as_opus(SOUND)
    killed, other = nursery.decoder(START), nursery.decoder(START)
    first = [one.feed(data[:2_000]) for one in (killed, other)]
    assert np.array_equal(*first)
    decoders_of(nursery)[0].kill()
    with pytest.raises(ChildDied, match="broke down"):
        fed(killed, data[2_000:])
    assert len(fed(other, data[2_000:]))
    killed.close()
    other.close()


def test_a_decoder_that_hangs_is_waited_for_no_longer_than_it_may_and_ended(nursery, monkeypatch):
    monkeypatch.setattr(confined, "STALL_S", 0.3)
    decoder = nursery.decoder(START)
    [process] = decoders_of(nursery)
    process.suspend()
    with pytest.raises(ChildDied, match="at one piece"):
        decoder.feed(b"\x1a")
    decoder.close()
    wait_for(lambda: not process.is_running())


def test_a_decoder_that_nobody_holds_any_more_ends_by_itself(nursery):
    decoder = nursery.decoder(START)
    [process] = decoders_of(nursery)
    del decoder
    wait_for(lambda: not process.is_running())


def test_a_nursery_that_was_lost_is_started_again(nursery):
    decoder = nursery.decoder(START)
    psutil.Process(nursery.pid).kill()
    with pytest.raises(ChildDied):
        for _ in range(100):
            decoder.feed(b"\x1a")
            time.sleep(0.01)
    again = nursery.decoder(START)
    assert len(fed(again, as_opus(SOUND)))
    again.close()


@pytest.mark.parametrize("answer", [b"", b"?", asking.HELLO, asking.POINT + b"short", bytes(3)])
def test_an_answer_that_is_none_costs_no_more_than_a_decoder_that_died(answer):
    for read in (asking.sound_of, asking.point_of, asking.pid_of):
        with pytest.raises(ChildDied):
            read(answer)


def test_numbers_that_are_none_do_not_reach_the_recogniser():
    told = asking.SOUND + np.array([np.nan, np.inf, 0.5], "<f4").tobytes() + b"x"
    assert np.isfinite(asking.sound_of(told)).all()
    assert len(asking.sound_of(told)) == 3
