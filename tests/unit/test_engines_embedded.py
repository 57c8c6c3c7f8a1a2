"""The parts of the embedded diarizer, on sound and voices made here."""

import numpy as np
import pytest

from app.audio.sound import RATE_HZ, Span
from app.domain.speaker_hints import SpeakerHints
from app.domain.speaker_turn import SpeakerTurn
from app.engines.embedded.counting import MAX_SAMPLE, find_speakers
from app.engines.embedded.diarizer import over_pauses
from app.engines.embedded.encoder import unit
from app.engines.embedded.mel import FRAMES_PER_S, MelStream
from app.engines.embedded.timeline import SWITCH_COST, most_likely
from app.engines.embedded.windows import place

N_DIMENSIONS = 64


def voices_of(n_speakers: int, n_each: int, spread: float = 0.1):
    """Voices of people who take turns of ten windows, and the centres of their windows."""
    random = np.random.default_rng(1)
    people = unit(random.normal(size=(n_speakers, N_DIMENSIONS)).astype(np.float32))
    order = np.tile(np.repeat(np.arange(n_speakers), 10), n_each // 10)
    noise = random.normal(scale=spread, size=(len(order), N_DIMENSIONS)).astype(np.float32)
    return people, unit(people[order] + noise), np.arange(len(order)) * 40


@pytest.mark.parametrize("n_speakers", [1, 2, 3, 5, 20])
def test_as_many_speakers_are_found_as_there_are(n_speakers):
    people, voices, centres = voices_of(n_speakers, 20)
    found = find_speakers(voices, centres, SpeakerHints())
    assert len(found) == n_speakers
    assert (people @ found.T).max(axis=1).min() > 0.9


def test_a_hint_of_the_number_is_followed():
    _, voices, centres = voices_of(3, 40)
    assert len(find_speakers(voices, centres, SpeakerHints(n_speakers=2))) == 2
    assert len(find_speakers(voices, centres, SpeakerHints(max_speakers=1))) == 1
    assert len(find_speakers(voices, centres, SpeakerHints(min_speakers=4))) >= 4


def test_more_speakers_than_voices_are_followed_as_far_as_can_be():
    _, voices, centres = voices_of(1, 10)
    assert 1 <= len(find_speakers(voices[:3], centres[:3], SpeakerHints(n_speakers=5))) <= 3


def test_one_single_voice_is_one_speaker():
    _, voices, centres = voices_of(1, 10)
    assert len(find_speakers(voices[:1], centres[:1], SpeakerHints())) == 1


def test_the_same_people_are_found_among_more_voices_than_are_looked_at():
    people, voices, centres = voices_of(4, 2 * MAX_SAMPLE)
    found = find_speakers(voices, centres, SpeakerHints())
    assert len(found) == 4
    assert (people @ found.T).max(axis=1).min() > 0.9


def test_the_spectrogram_is_the_same_in_whatever_blocks_the_sound_comes():
    sound = np.random.default_rng(0).normal(scale=0.1, size=RATE_HZ).astype(np.float32)
    whole, pieces = MelStream(), MelStream()
    at_once = np.concatenate([whole.feed(sound), whole.finish()])
    blocks = [pieces.feed(sound[first : first + 77]) for first in range(0, len(sound), 77)]
    assert len(at_once) == FRAMES_PER_S + 1
    np.testing.assert_allclose(np.concatenate([*blocks, pieces.finish()]), at_once, rtol=1e-4, atol=1e-7)


def test_a_tone_is_loudest_in_the_band_of_its_pitch():
    times_s = np.arange(RATE_HZ) / RATE_HZ
    loudest = [MelStream().feed(np.sin(2 * np.pi * hz * times_s).astype(np.float32))[50].argmax() for hz in (300, 3000)]
    assert 2 <= loudest[0] <= 6 < 22 <= loudest[1] <= 28


def test_windows_cover_a_region_and_do_not_reach_beyond_it():
    windows = place([Span(RATE_HZ, 6 * RATE_HZ)], 1000, width=160, hop=40)
    assert (windows.starts[0], windows.starts[-1] + 160) == (100, 600)
    assert np.diff(windows.starts).max() <= 40


def test_a_region_shorter_than_a_window_is_in_the_middle_of_one():
    windows = place([Span(2 * RATE_HZ, 3 * RATE_HZ)], 1000, width=160, hop=40)
    assert windows.starts.tolist() == [170]
    assert windows.centres.tolist() == [250]


def test_a_moment_that_sounds_a_little_like_another_speaker_is_no_change():
    likeness = np.array([[1, 0], [1, 0], [0.9, 1], [1, 0]], np.float32)
    assert most_likely(likeness).tolist() == [0, 0, 0, 0]


def test_a_change_that_is_worth_its_cost_is_believed():
    likeness = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], np.float32)
    assert most_likely(likeness * SWITCH_COST).tolist() == [0, 0, 1, 1]


def test_a_short_pause_belongs_to_the_turn_unless_somebody_else_speaks():
    turns = [SpeakerTurn(0, 1, "a"), SpeakerTurn(1.5, 2, "a"), SpeakerTurn(2.1, 3, "b"), SpeakerTurn(3.1, 4, "a")]
    assert list(over_pauses(turns)) == [SpeakerTurn(0, 2, "a"), *turns[2:]]
    apart = [SpeakerTurn(0, 1, "a"), SpeakerTurn(3, 4, "a")]
    assert list(over_pauses(apart)) == apart
