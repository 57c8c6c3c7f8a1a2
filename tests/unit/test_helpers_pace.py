"""How far ahead a slot may claim: as far as lasts a tenth of a second, and never for what takes long."""

import math

from app.helpers.pace import AHEAD_S, MOST_AHEAD, REMEMBERED, Pace


def pace_of(*took_s: float, sound_s: float = 1.0) -> Pace:
    pace = Pace()
    for one in took_s:
        pace.ran(one, sound_s)
    return pace


def test_nothing_is_claimed_ahead_before_anything_was_measured():
    assert Pace().n_ahead() == 0


def test_short_runs_allow_as_many_as_last_a_tenth_of_a_second():
    assert pace_of(0.01, 0.01, 0.01).n_ahead() * 0.01 <= AHEAD_S
    assert pace_of(0.01, 0.01, 0.01).n_ahead() >= 9


def test_there_is_a_most():
    assert pace_of(0.0).n_ahead() == MOST_AHEAD


def test_one_run_of_seconds_among_short_ones_ends_it():
    assert pace_of(*[0.001] * REMEMBERED, 3.0).n_ahead() == 0


def test_a_long_run_is_forgotten_after_enough_short_ones():
    assert pace_of(3.0, *[0.001] * REMEMBERED).n_ahead() == MOST_AHEAD


def test_a_run_whose_time_nobody_knows_ends_it_until_others_are_measured():
    assert pace_of(0.001, math.inf).n_ahead() == 0
    assert pace_of(math.inf, 0.001).n_ahead() == MOST_AHEAD


def test_only_recordings_as_short_as_those_measured_count():
    pace = pace_of(0.001, sound_s=2.0)
    pace.ran(0.001, 5.0)
    assert pace.longest_s() == 5.0
