"""Left-out silence is put back into the times."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.audio.sound import RATE_HZ, Span
from app.audio.timemap import TimeMap, trim
from app.domain.transcript import Segment, Word

ONE_SAMPLE_S = 1 / RATE_HZ


def seconds(*pairs):
    return tuple(Span(round(start * RATE_HZ), round(end * RATE_HZ)) for start, end in pairs)


KEPT = TimeMap(seconds((2, 5), (20, 24)))
"""Three seconds from 2 on, then four from 20 on: the seam is at 3 of 7 seconds."""


def heard(start_s, end_s, *words):
    return Segment(0, start_s, end_s, "x", words=tuple(Word("x", *times) for times in words))


def test_only_long_silences_are_shortened():
    pcm = np.arange(10 * RATE_HZ, dtype=np.float32)
    trimmed, times = trim(pcm, seconds((1, 2), (2.5, 3), (8, 9)), keep_s=0.5)
    assert times.kept == seconds((0.5, 3.5), (7.5, 9.5))
    assert np.array_equal(trimmed, np.concatenate([pcm[s.start : s.end] for s in times.kept]))


def test_where_nobody_speaks_nothing_is_kept():
    trimmed, times = trim(np.ones(1000, np.float32), [])
    assert len(trimmed) == 0
    assert times.to_original_s(0.0) == 0.0


def test_times_after_the_seam_are_moved_by_what_was_left_out():
    assert KEPT.to_original_s(1.0) == pytest.approx(3.0)
    assert KEPT.to_original_s(4.0) == pytest.approx(21.0)


def test_a_left_out_silence_lies_at_its_seam():
    assert [KEPT.to_trimmed_s(s) for s in (5.0, 12.0, 20.0)] == pytest.approx([3.0, 3.0, 3.0])


def test_samples_are_mapped_too():
    assert KEPT.to_trimmed(*seconds((4, 21))) == seconds((2, 4))[0]


def test_a_word_that_ends_at_the_seam_does_not_last_through_the_silence():
    assert KEPT.restored(heard(2.5, 3.0)).end_s == pytest.approx(5.0)


def test_a_word_that_starts_at_the_seam_starts_after_the_silence():
    assert KEPT.restored(heard(3.0, 3.5)).start_s == pytest.approx(20.0)


def test_rounding_at_the_seam_does_not_stretch_a_word_over_the_silence():
    segment = KEPT.restored(heard(2.4, 3.6, (2.4, 3.04), (2.97, 3.6)))
    assert [time_s for w in segment.words for time_s in (w.start_s, w.end_s)] == pytest.approx([4.4, 5.0, 20.0, 20.6])


def test_a_segment_over_the_seam_spans_the_silence():
    segment = KEPT.restored(heard(1.0, 6.0))
    assert (segment.start_s, segment.end_s) == pytest.approx((3.0, 23.0))


@st.composite
def time_maps(draw):
    at, kept = 0, []
    for gap, length in draw(
        st.lists(st.tuples(st.integers(1, 99_999), st.integers(1, 99_999)), min_size=1, max_size=8)
    ):
        kept.append(Span(at + gap, at + gap + length))
        at = kept[-1].end
    return TimeMap(tuple(kept))


share = st.floats(0, 1)


def test_where_a_kept_stretch_begins_is_not_taken_for_the_end_of_the_one_before():
    kept = (Span(1, 2), Span(3, 4), Span(5, 6), Span(7, 2038), Span(100_000, 100_001))
    start_s = 100_000 / RATE_HZ
    times = TimeMap(kept)
    assert times.to_original_s(times.to_trimmed_s(start_s)) == pytest.approx(start_s, abs=1e-9)


@given(time_maps(), share)
def test_within_what_was_kept_the_maps_are_each_others_inverse(times, part):
    for span in times.kept:
        original_s = (span.start + part * (span.n_samples - 1)) / RATE_HZ
        assert times.to_original_s(times.to_trimmed_s(original_s)) == pytest.approx(original_s, abs=ONE_SAMPLE_S)


@given(time_maps(), share, share)
def test_time_never_goes_backwards(times, a, b):
    length_s = sum(span.n_samples for span in times.kept) / RATE_HZ
    early_s, late_s = sorted((a * length_s, b * length_s))
    assert times.to_original_s(early_s) <= times.to_original_s(late_s)
    end_s = times.kept[-1].end / RATE_HZ
    early_s, late_s = sorted((a * end_s, b * end_s))
    assert times.to_trimmed_s(early_s) <= times.to_trimmed_s(late_s)


@given(time_maps(), share, share)
def test_what_was_heard_lies_in_what_was_kept(times, a, b):
    length_s = sum(span.n_samples for span in times.kept) / RATE_HZ
    start_s, end_s = sorted((a * length_s, b * length_s))
    segment = times.restored(heard(start_s, end_s))
    assert segment.start_s <= segment.end_s
    for time_s in (segment.start_s, segment.end_s):
        assert any(s.start / RATE_HZ <= time_s <= s.end / RATE_HZ for s in times.kept)
