"""Speech is found where it is likely for long enough."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.audio.regions import FOR_SPEAKERS, RegionFinder, RegionSettings, speech_regions
from app.audio.sound import RATE_HZ, Span, SpanPolicy

HOP = 160
"""A hundredth of a second."""

BARE = RegionSettings(on=0.5, off=0.3, min_speech_s=0.1, min_silence_s=0.2, pad_s=0.0)


def found(pattern, settings=BARE, n_samples=None):
    """Regions, in hundredths of a second, of (probability, hundredths) pieces."""
    probabilities = np.concatenate([np.full(n, p, np.float32) for p, n in pattern])
    regions = speech_regions(probabilities, settings, hop=HOP, n_samples=n_samples or len(probabilities) * HOP)
    return [(region.start / HOP, region.end / HOP) for region in regions]


def test_silence_has_no_regions():
    assert found([(0.0, 100)]) == []


def test_no_probabilities_have_no_regions():
    assert speech_regions(np.zeros(0, np.float32), BARE, hop=HOP, n_samples=100) == []


def test_speech_between_silences_is_one_region():
    assert found([(0.0, 50), (0.9, 40), (0.0, 50)]) == [(50, 90)]


def test_speech_that_goes_on_to_the_end_ends_there():
    assert found([(0.0, 50), (0.9, 40)], n_samples=90 * HOP + 7) == [(50, 90 + 7 / HOP)]


def test_a_short_pause_belongs_to_its_region():
    assert found([(0.9, 40), (0.0, 19), (0.9, 40), (0.0, 30)]) == [(0, 99)]


def test_a_long_pause_parts_two_regions():
    assert found([(0.9, 40), (0.0, 20), (0.9, 40), (0.0, 30)]) == [(0, 40), (60, 100)]


def test_a_click_is_no_speech():
    assert found([(0.0, 40), (0.9, 9), (0.0, 40), (0.9, 10), (0.0, 40)]) == [(89, 99)]


def test_between_the_thresholds_things_stay_as_they_are():
    assert found([(0.4, 40)]) == []
    assert found([(0.9, 10), (0.4, 80), (0.0, 30)]) == [(0, 90)]


def test_doubt_does_not_end_a_silence():
    assert found([(0.9, 20), (0.0, 10), (0.4, 10), (0.9, 20)]) == [(0, 20), (40, 60)]


def test_padding_stays_within_the_sound_and_neighbours_share_what_is_between():
    settings = RegionSettings(on=0.5, off=0.3, min_speech_s=0.1, min_silence_s=0.2, pad_s=0.3)
    pattern = [(0.0, 10), (0.9, 40), (0.0, 20), (0.9, 40), (0.0, 20)]
    assert found(pattern, settings) == [(0, 60), (60, 130)]


def test_settings_for_spans_leave_the_padding_to_them():
    settings = RegionSettings.before_spans(SpanPolicy(min_silence_s=0.8, pad_s=0.4))
    assert (settings.min_silence_s, settings.pad_s) == (0.8, 0.0)


def test_a_stream_knows_when_somebody_speaks():
    finder = RegionFinder(BARE, HOP)
    assert finder.feed(np.full(10, 0.9, np.float32)) == []
    assert finder.is_speech
    assert finder.feed(np.zeros(20, np.float32)) == [Span(0, 10 * HOP)]
    assert not finder.is_speech


likely = st.lists(st.floats(0, 1, width=32), max_size=300)


@given(likely, st.integers(1, 50))
def test_a_stream_tells_the_same_in_any_pieces(values, n_piece):
    probabilities = np.array(values, np.float32)
    n_samples = len(values) * HOP
    finder = RegionFinder(BARE, HOP)
    told = [r for i in range(0, len(values), n_piece) for r in finder.feed(probabilities[i : i + n_piece])]
    assert told + finder.finish(n_samples) == speech_regions(probabilities, BARE, hop=HOP, n_samples=n_samples)


@given(likely)
def test_regions_are_in_order_within_the_sound_and_never_overlap(values):
    n_samples = len(values) * HOP
    regions = speech_regions(np.array(values, np.float32), FOR_SPEAKERS, hop=HOP, n_samples=n_samples)
    at = 0
    for region in regions:
        assert at <= region.start < region.end <= n_samples
        assert region.n_samples >= FOR_SPEAKERS.min_speech_s * RATE_HZ
        at = region.end
