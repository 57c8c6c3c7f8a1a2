"""Sound stays where its timestamps say."""

from fractions import Fraction

import av
import pytest

from app.audio.conversion import RATE_HZ, Timeline, silence
from app.audio.sound import RATE_HZ as SERVICE_RATE_HZ

FRAME_S = 0.02


def holes(times_s, origin_s=0.0):
    """The silence put in front of each of these frames of 20 ms."""
    timeline = Timeline(origin_s)
    told = []
    for time_s in times_s:
        frame = av.AudioFrame("flt", "mono", round(FRAME_S * 48_000))
        frame.sample_rate, frame.time_base = 48_000, Fraction(1, 1000)
        frame.pts = None if time_s is None else round(time_s * 1000)
        told.append(timeline.hole_s(frame))
    return told


def test_frames_that_follow_each_other_have_no_holes():
    assert holes([0.0, 0.02, 0.04, 0.06]) == [0, 0, 0, 0]


def test_frames_without_timestamps_follow_each_other():
    assert holes([None, None, None]) == [0, 0, 0]


def test_lost_packets_leave_silence_as_long_as_they_were():
    assert holes([0.0, 0.02, 1.04, 1.06]) == pytest.approx([0, 0, 1.0, 0])


def test_single_lost_packets_are_made_up_for_together():
    assert sum(holes([0.04 * i for i in range(50)])) == pytest.approx(0.98, abs=0.1)


def test_rounded_timestamps_are_no_holes():
    assert holes([0.0, 0.05, 0.0, 0.11]) == [0, 0, 0, 0]


def test_times_count_from_where_the_container_begins():
    assert holes([100.5, 100.52], origin_s=100.0) == pytest.approx([0.5, 0])


def test_a_clock_set_far_ahead_is_no_lost_sound():
    assert holes([0.0, 50_000.0, 50_000.02, 50_001.04]) == pytest.approx([0, 0, 0, 1.0])


def test_a_clock_set_back_begins_another_timeline():
    assert holes([10.0, 10.02, 0.0, 0.02, 1.04], origin_s=10.0) == pytest.approx([0, 0, 0, 0, 1.0])


def test_silence_comes_in_blocks_of_a_second_at_most():
    assert [len(block) for block in silence(2.5)] == [64_000, 64_000, 32_000]


def test_the_decoder_speaks_at_the_rate_of_the_service():
    assert RATE_HZ == SERVICE_RATE_HZ
