"""The outline of a recording: what is loud is tall, however the sound came and however long it is."""

import numpy as np
import pytest

from app.audio.peaks import PeakMeter
from app.domain.peaks import Peaks


def drawn(*chunks: np.ndarray, max_buckets: int = 1000) -> Peaks:
    meter = PeakMeter(max_buckets)
    for chunk in chunks:
        meter.feed(chunk.astype(np.float32))
    return meter.peaks()


def pairs(peaks: Peaks) -> list[tuple[int, int]]:
    return [tuple(pair) for pair in np.frombuffer(peaks.pairs, np.int8).reshape(-1, 2).tolist()]


def test_each_bucket_tells_its_least_and_its_greatest_sample():
    sound = np.zeros(480)
    sound[170], sound[200] = -1.0, 0.5
    peaks = drawn(sound)
    assert (peaks.bucket_s, pairs(peaks)) == (0.01, [(0, 0), (-127, 64), (0, 0)])


@pytest.mark.parametrize("cut", [1, 77, 160, 16_000])
def test_it_does_not_depend_on_how_the_sound_was_cut(cut):
    sound = np.random.default_rng(7).uniform(-1, 1, 33_333)
    assert drawn(*np.array_split(sound, range(cut, len(sound), cut))) == drawn(sound)


def test_a_long_recording_has_no_more_buckets_than_a_short_one_may_have():
    sound = np.zeros(160 * 1601)
    sound[-1] = 1.0
    peaks = drawn(sound, max_buckets=400)
    assert (peaks.n_buckets, peaks.bucket_s) == (201, 0.08)
    assert pairs(peaks)[-1] == (0, 127)
    assert peaks.n_buckets * peaks.bucket_s >= len(sound) / 16_000


def test_nothing_has_no_outline():
    assert drawn().n_buckets == 0
