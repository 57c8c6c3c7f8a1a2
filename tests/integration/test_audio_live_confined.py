"""Live Opus decoded in a process of its own: the same sound, and whatever happens to the process is one session's."""

import resource
import select
import socket
import time
from collections.abc import Iterator

import numpy as np
import psutil
import pytest

from app.audio.live import asking, confined
from app.audio.live.base import OPUS, RestartPoint
from app.audio.live.confined import ConfinedDecoder, Nursery
from app.audio.live.decoder import make_live_decoder
from app.audio.live.line import HEAD, Line
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


def fed(decoder, data: bytes, step: int = STEP) -> np.ndarray:
    return np.concatenate([taken(decoder, data[at : at + step]) for at in range(0, len(data), step)])


def taken(decoder, data: bytes | None) -> np.ndarray:
    """The sound of more bytes, or of the end; waited for if it is made elsewhere."""
    sound = decoder.flush() if data is None else decoder.feed(data)
    return answered(decoder) if isinstance(decoder, ConfinedDecoder) else sound


def answered(decoder: ConfinedDecoder) -> np.ndarray:
    while (sound := decoder.answer()) is None:
        select.select([decoder.fd], [], [], 0.1)
    return sound


def started(decoder: ConfinedDecoder) -> ConfinedDecoder:
    """One whose process is there."""
    taken(decoder, b"")
    return decoder


def decoders_of(nursery: Nursery) -> list[psutil.Process]:
    return sorted(psutil.Process(nursery.pid).children(), key=lambda one: one.pid)


@pytest.mark.parametrize("container", ["webm", "ogg"])
def test_the_sound_and_the_restart_points_are_those_of_a_decoder_here(shared, container):
    data = as_opus(SOUND, container)
    there, here = shared.decoder(START), make_live_decoder(OPUS, 48_000)
    assert np.array_equal(fed(there, data), fed(here, data))
    assert np.array_equal(taken(there, None), here.flush())
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
        taken(decoder, b"RIFF" + bytes(100))
    decoder.close()


def test_a_decoder_may_open_nothing_write_nothing_and_take_little_memory(nursery):
    decoder = started(nursery.decoder(START))
    [process] = decoders_of(nursery)
    kinds = (resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE, resource.RLIMIT_CORE)
    assert [process.rlimit(kind)[0] for kind in kinds] == [process.num_fds(), 0, 0]
    assert 0 < process.rlimit(resource.RLIMIT_AS)[0] < process.memory_info().vms + 200 * 1024**2
    decoder.close()


def test_a_decoder_that_dies_is_told_and_no_other_notices(nursery):
    data = as_opus(SOUND)
    killed, other = nursery.decoder(START), nursery.decoder(START)
    first = [taken(one, data[:2_000]) for one in (killed, other)]
    assert np.array_equal(*first)
    decoders_of(nursery)[0].kill()
    with pytest.raises(ChildDied, match="broke down"):
        fed(killed, data[2_000:])
    assert len(fed(other, data[2_000:]))
    killed.close()
    other.close()


def test_a_decoder_that_hangs_is_waited_for_no_longer_than_it_may_and_ended(nursery, monkeypatch):
    monkeypatch.setattr(confined, "STALL_S", 0.3)
    decoder = started(nursery.decoder(START))
    [process] = decoders_of(nursery)
    process.suspend()
    began_s = time.monotonic()
    decoder.feed(b"\x1a")
    assert decoder.answer() is None
    assert time.monotonic() < began_s + 0.3, "nobody waits for it"
    with pytest.raises(ChildDied, match="at one piece"):
        answered(decoder)
    decoder.close()
    wait_for(lambda: not process.is_running())


def test_a_decoder_that_nobody_holds_any_more_ends_by_itself(nursery):
    decoder = started(nursery.decoder(START))
    [process] = decoders_of(nursery)
    del decoder
    wait_for(lambda: not process.is_running())


def test_a_nursery_that_hangs_is_replaced_and_its_decoders_go_on(nursery, monkeypatch):
    data = as_opus(SOUND)
    before = nursery.decoder(START)
    taken(before, data[:2_000])
    hung = psutil.Process(nursery.pid)
    hung.suspend()
    with monkeypatch.context() as patch:
        patch.setattr(confined, "START_S", 0.3)
        stillborn = nursery.decoder(START)
        with pytest.raises(ChildDied, match="at one piece"):
            taken(stillborn, data[:2_000])
    after = nursery.decoder(START)
    assert np.array_equal(taken(after, data), fed(make_live_decoder(OPUS, 48_000), data))
    assert nursery.pid != hung.pid
    assert len(fed(before, data[2_000:]))
    for decoder in (before, stillborn, after):
        decoder.close()
    nursery.close()
    assert not hung.is_running()


def test_a_nursery_that_was_lost_is_started_again(nursery):
    decoder = started(nursery.decoder(START))
    psutil.Process(nursery.pid).kill()
    with pytest.raises(ChildDied):
        for _ in range(100):
            taken(decoder, b"\x1a")
            time.sleep(0.01)
    again = nursery.decoder(START)
    assert len(fed(again, as_opus(SOUND)))
    again.close()


@pytest.mark.parametrize("counts", [(), (1, 0), (-1, 0), (0, 9), (0, -1), (2**60, 2**60)])
def test_an_answer_that_is_none_costs_no_more_than_a_decoder_that_died(counts):
    answers = [b"", b"?", asking.HELLO, asking.SOUND + bytes(3)]
    for answer in [asking.SOUND + asking.PAIR.pack(*counts)] if counts else answers:
        for read in (asking.decoded_of, asking.pid_of):
            with pytest.raises(ChildDied):
                read(answer)


def test_numbers_that_are_none_do_not_reach_the_recogniser():
    sound = np.array([np.nan, np.inf, 0.5], "<f4").tobytes() + b"x"
    decoded = asking.decoded_of(asking.SOUND + asking.PAIR.pack(0, 0) + sound)
    assert np.isfinite(decoded.pcm).all()
    assert len(decoded.pcm) == 3


def test_a_message_that_comes_in_pieces_is_never_waited_for():
    ours, theirs = socket.socketpair()
    line = Line(ours, most_bytes=1_000)
    message = HEAD.pack(900) + bytes(range(90)) * 10
    for piece in (message[:2], message[2:500], message[500:-1]):
        theirs.sendall(piece)
        assert line.receive() is None
    theirs.sendall(message[-1:] + HEAD.pack(1_001))
    assert line.receive() == bytes(range(90)) * 10
    with pytest.raises(EOFError):
        line.receive()
    line.close()
    theirs.close()


def test_a_question_that_nobody_takes_in_is_refused_at_once():
    ours, theirs = socket.socketpair()
    line = Line(ours, most_bytes=1_000)
    with pytest.raises(BlockingIOError):
        for _ in range(1_000):
            line.send(bytes(64 * 1024))
    line.close()
    theirs.close()
