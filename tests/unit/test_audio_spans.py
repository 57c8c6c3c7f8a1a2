"""Regions become spans that an engine likes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.audio.sound import RATE_HZ, Span, SpanPolicy
from app.audio.spans import spans

POLICY = SpanPolicy(max_s=10.0, join_gap_s=1.0, pad_s=0.2, min_silence_s=0.5)


def seconds(*pairs):
    return [Span(round(start * RATE_HZ), round(end * RATE_HZ)) for start, end in pairs]


def cut(regions, policy=POLICY, length_s=60.0, **strengths):
    return spans(regions, policy, round(length_s * RATE_HZ), **strengths)


def test_no_speech_gives_no_spans():
    assert cut([]) == []


def test_a_region_is_padded():
    assert cut(seconds((1, 3))) == seconds((0.8, 3.2))


def test_padding_stays_within_the_sound():
    assert cut(seconds((0.1, 3)), length_s=3.1) == seconds((0, 3.1))


def test_regions_with_a_short_pause_are_heard_together():
    assert cut(seconds((1, 3), (4, 6))) == seconds((0.8, 6.2))


def test_regions_with_a_long_pause_are_not():
    assert cut(seconds((1, 3), (4.1, 6))) == seconds((0.8, 3.2), (3.9, 6.2))


def test_regions_that_together_would_be_too_long_stay_apart():
    assert cut(seconds((1, 7), (7.5, 12))) == seconds((0.8, 7.2), (7.3, 12.2))


def test_close_neighbours_share_the_pause_between_them():
    assert cut(seconds((1, 7), (7.1, 12))) == seconds((0.8, 7.05), (7.05, 12.2))


def test_a_region_that_is_too_long_is_split_where_it_is_weakest():
    strengths = np.ones(1000, np.float32)
    strengths[270:276] = 0.4
    first, second = cut(seconds((1, 15)), strengths=strengths)
    assert 270 * 512 <= first.end <= 276 * 512
    assert (first.start, second.end) == (round(0.8 * RATE_HZ), round(15.2 * RATE_HZ))
    assert second.start == first.end


def test_one_weak_hop_is_a_consonant_and_no_place_to_cut():
    strengths = np.ones(1000, np.float32)
    strengths[240] = 0.3
    strengths[280:290] = 0.5
    first, _ = cut(seconds((1, 15)), strengths=strengths)
    assert 280 * 512 <= first.end <= 290 * 512


def test_without_strengths_a_long_region_is_split_all_the_same():
    pieces = cut(seconds((0, 55)))
    assert all(piece.n_samples <= 10 * RATE_HZ for piece in pieces)


gaps_and_lengths = st.lists(st.tuples(st.integers(1, 200_000), st.integers(1, 500_000)), max_size=12)
policies = st.builds(
    SpanPolicy, max_s=st.floats(1, 30), join_gap_s=st.floats(0, 3), pad_s=st.floats(0, 0.4), min_silence_s=st.just(0.5)
)


@given(gaps_and_lengths, policies, st.integers(0, 50_000), st.booleans())
def test_spans_cover_all_speech_in_order_without_overlap_and_are_never_too_long(pieces, policy, n_after, is_blind):
    regions, at = [], 0
    for gap, length in pieces:
        regions.append(Span(at + gap, at + gap + length))
        at = regions[-1].end
    n_samples = at + n_after
    strengths = None if is_blind else np.random.default_rng(1).random(n_samples // 512).astype(np.float32)
    told = spans(regions, policy, n_samples, strengths=strengths)
    at = 0
    for span in told:
        assert at <= span.start < span.end <= n_samples
        assert span.n_samples <= policy.max_s * RATE_HZ
        at = span.end
    for region in regions:
        inside = sum(max(0, min(s.end, region.end) - max(s.start, region.start)) for s in told)
        assert inside == region.n_samples
