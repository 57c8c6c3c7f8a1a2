"""Long recordings are cut at silences, and nothing is lost."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.audio.parts import cut_parts
from app.audio.regions import RegionSettings
from app.audio.sound import RATE_HZ
from tests.sounds import EnergyVad, bursts, silence, tone

HOP = EnergyVad.hop


def chunked(pcm, *lengths):
    """The sound in pieces of these lengths, over and over."""
    at, i = 0, 0
    while at < len(pcm):
        n_samples = lengths[i % len(lengths)]
        yield pcm[at : at + n_samples]
        at, i = at + n_samples, i + 1


def cut(pcm, *, target_s=3.0, max_s=5.0, lengths=(RATE_HZ,), **options):
    return list(cut_parts(chunked(pcm, *lengths), EnergyVad(), target_s=target_s, max_s=max_s, **options))


def assert_all_is_there(pcm, parts, start=0):
    assert [part.index for part in parts] == list(range(len(parts)))
    assert [part.is_last for part in parts] == [False] * (len(parts) - 1) + [True]
    for part in parts:
        assert part.start == start
        assert len(part.probabilities) == len(part.pcm) // HOP
        start = part.end
    assert np.array_equal(np.concatenate([part.pcm for part in parts]), pcm)


def test_a_short_recording_is_one_part():
    pcm = tone(2.0)
    assert_all_is_there(pcm, cut(pcm))


def test_no_sound_has_no_parts():
    assert cut(silence(0)) == []


def test_a_long_recording_is_cut_in_its_longest_silence_near_the_target():
    pcm = bursts(0.1, 1.2, 0.3, 1.2, 0.8, 5.0)
    parts = cut(pcm)
    assert_all_is_there(pcm, parts)
    assert parts[0].end / RATE_HZ == pytest.approx(3.2, abs=0.05)


def test_speech_without_a_pause_is_cut_where_it_is_weakest():
    quiet = tone(0.2, level=0.03)
    pcm = np.concatenate([tone(3.5), quiet, tone(4.0)])
    parts = cut(pcm)
    assert_all_is_there(pcm, parts)
    assert 3.5 <= parts[0].end / RATE_HZ <= 3.7


def test_a_part_tells_its_speech_from_its_own_start():
    pcm = bursts(0.5, 1.5, 1.5, 4.0)
    _, second = cut(pcm, settings=RegionSettings(pad_s=0.0))
    speech_s = [(second.start + region.start) / RATE_HZ for region in second.regions]
    assert speech_s == pytest.approx([3.5], abs=HOP / RATE_HZ)


def test_work_goes_on_after_parts_that_are_done():
    pcm = bursts(0.1, 1.2, 0.8, 1.2, 0.8, 1.2, 0.8, 5.0)
    first, *rest = cut(pcm)
    resumed = list(
        cut_parts(
            chunked(pcm[first.end :], RATE_HZ), EnergyVad(), start_sample=first.end, first_index=1, target_s=3, max_s=5
        )
    )
    assert [(part.index, part.start, part.end) for part in resumed] == [(p.index, p.start, p.end) for p in rest]


def test_a_part_is_given_before_the_rest_is_asked_for():
    n_asked = 0

    def endless():
        nonlocal n_asked
        while True:
            n_asked += 1
            yield tone(1.0)

    parts = cut_parts(endless(), EnergyVad(), target_s=3.0, max_s=5.0)
    next(parts)
    assert n_asked <= 6


def test_a_part_keeps_its_sound_when_the_next_is_made():
    pcm = np.concatenate([tone(12.0), silence(0.5), tone(5.0, hz=300)])
    parts = cut_parts(chunked(pcm, 4_321), EnergyVad(), target_s=3.0, max_s=5.0)
    first = next(parts)
    kept = first.pcm.copy()
    list(parts)
    assert np.array_equal(first.pcm, kept)


def test_a_target_beyond_the_maximum_is_refused():
    with pytest.raises(ValueError, match="at most"):
        cut(tone(1.0), target_s=10, max_s=5)


@settings(max_examples=40, deadline=None)
@given(
    lengths_s=st.lists(st.floats(0.02, 2.0), min_size=1, max_size=10),
    lengths=st.lists(st.integers(700, 40_000), min_size=1, max_size=4),
    target_s=st.floats(0.3, 2.0),
    beyond_s=st.floats(0.0, 3.0),
    start=st.integers(0, 10**9),
)
def test_every_sample_is_in_exactly_one_part_in_order(lengths_s, lengths, target_s, beyond_s, start):
    pcm = bursts(*lengths_s)
    max_s = target_s + beyond_s
    parts = cut(pcm, target_s=target_s, max_s=max_s, lengths=lengths, start_sample=start)
    assert_all_is_there(pcm, parts, start)
    assert all(len(part.pcm) <= max_s * RATE_HZ for part in parts)
