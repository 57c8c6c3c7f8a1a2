"""Parts are read ahead in the background, but never far."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.audio.decode import DecodeLimits
from app.audio.parts import Part
from app.audio.sound import RATE_HZ, Pcm, SpanPolicy
from app.domain.errors import Cancelled
from app.services.transcription.cutting import PartCutter
from app.services.transcription.limits import PipelineLimits
from app.services.transcription.reading import ReadAhead
from tests.fakes import beeps, quiet
from tests.pipelines import write_wav
from tests.sounds import EnergyVad


@pytest.fixture
def audio(tmp_path: Path) -> Path:
    return write_wav(tmp_path / "a.wav", quiet(10.0))


class EachSecond:
    """Makes a part of every chunk, and counts them."""

    def __init__(self) -> None:
        self.n_made = 0

    def __call__(self, sound: Iterator[Pcm]) -> Iterator[Part]:
        for chunk in sound:
            self.n_made += 1
            yield Part(self.n_made - 1, 0, chunk, np.zeros(0, np.float32), (), False)


def settled(counter: EachSecond) -> int:
    """The count, when it has stopped growing."""
    before = -1
    while counter.n_made != before:
        before = counter.n_made
        time.sleep(0.1)
    return before


def test_the_next_part_is_made_while_one_is_worked_on_but_no_more(audio: Path) -> None:
    cut = EachSecond()
    with ReadAhead(audio, 0, DecodeLimits(), cut) as reading:
        parts = reading.parts(lambda: False)
        for n_taken in (1, 2, 3):
            next(parts)
            while cut.n_made < n_taken + 1:
                time.sleep(0.01)
            assert settled(cut) == n_taken + 1


def test_leaving_early_ends_the_thread(audio: Path) -> None:
    with ReadAhead(audio, 0, DecodeLimits(), EachSecond()) as reading:
        next(reading.parts(lambda: False))
    assert not any(thread.name == "read-ahead" for thread in threading.enumerate())


def test_a_cancel_ends_the_wait_for_a_part(audio: Path) -> None:
    def never(sound: Iterator[Pcm]) -> Iterator[Part]:
        released.wait()
        yield from EachSecond()(sound)

    released = threading.Event()
    with ReadAhead(audio, 0, DecodeLimits(), never) as reading:
        asked = iter([False, True])
        with pytest.raises(Cancelled):
            next(reading.parts(lambda: next(asked)))
        released.set()


def test_a_failure_while_reading_is_raised_where_the_parts_are_taken(audio: Path) -> None:
    def broken(sound: Iterator[Pcm]) -> Iterator[Part]:
        yield from list(EachSecond()(sound))[:1]
        raise OSError("gone")

    with ReadAhead(audio, 0, DecodeLimits(), broken) as reading, pytest.raises(OSError, match="gone"):
        list(reading.parts(lambda: False))


@pytest.mark.parametrize("length_s", [0.5, 6.9, 7.0, 7.1, 8.0, 20.0, 33.3])
def test_a_short_first_part_loses_no_sample(length_s: float) -> None:
    sound = np.resize(np.concatenate([beeps("do re mi fa sol"), quiet(0.9)]), int(length_s * RATE_HZ))
    chunks = iter([sound[at : at + RATE_HZ] for at in range(0, len(sound), RATE_HZ)])
    cutter = PartCutter(EnergyVad(), SpanPolicy(), PipelineLimits(part_s=10.0, first_part_s=5.0))
    parts = list(cutter.from_start(chunks))
    assert np.array_equal(np.concatenate([part.pcm for part in parts]), sound)
    assert [part.start for part in parts] == [0, *(part.end for part in parts[:-1])]
    assert [part.index for part in parts] == list(range(len(parts)))
