"""The parts of the embedded diarizer, on sound and voices made here."""

import numpy as np
import pytest

from app.audio.sound import RATE_HZ, Span
from app.domain.speaker_hints import SpeakerHints
from app.domain.speaker_turn import SpeakerTurn
from app.engines.diarization import Watch
from app.engines.embedded.arithmetic import unit
from app.engines.embedded.campplus_voices import BLOCK, CamPlusVoices
from app.engines.embedded.diarizer import over_pauses
from app.engines.embedded.features import Features
from app.engines.embedded.grouping import MAX_SAMPLE, find_speakers
from app.engines.embedded.mel import FRAMES_PER_S, KaldiLogarithms, SlaneyAmplitudes
from app.engines.embedded.overheard import BOTH, HOP_STEPS, NOBODY, Eavesdropper, Means, Overheard
from app.engines.embedded.pieces import Piece, cut
from app.engines.embedded.rows import Rows
from app.engines.embedded.second_voices import UNHEARD, with_second_voices
from app.engines.embedded.segmentation import CHUNK, N_CLASSES
from app.engines.embedded.spans import joined
from app.engines.embedded.timeline import COST_AT_CUT, SWITCH_COST, most_likely
from app.engines.embedded.windows import Windows, place

N_DIMENSIONS = 64
LIMIT = 0.35


def voices_of(n_speakers: int, n_each: int, spread: float = 0.1):
    """Voices of people who take turns of ten windows."""
    random = np.random.default_rng(1)
    people = unit(random.normal(size=(n_speakers, N_DIMENSIONS)).astype(np.float32))
    order = np.tile(np.repeat(np.arange(n_speakers), 10), n_each // 10)
    noise = random.normal(scale=spread, size=(len(order), N_DIMENSIONS)).astype(np.float32)
    return people, unit(people[order] + noise)


@pytest.mark.parametrize("n_speakers", [1, 2, 3, 5, 20])
def test_as_many_speakers_are_found_as_there_are(n_speakers):
    people, voices = voices_of(n_speakers, 20)
    found = find_speakers(voices, SpeakerHints(), LIMIT)
    assert len(found) == n_speakers
    assert (people @ found.T).max(axis=1).min() > 0.9


def test_a_hint_of_the_number_is_followed():
    _, voices = voices_of(3, 40)
    assert len(find_speakers(voices, SpeakerHints(n_speakers=2), LIMIT)) == 2
    assert len(find_speakers(voices, SpeakerHints(max_speakers=1), LIMIT)) == 1
    assert len(find_speakers(voices, SpeakerHints(min_speakers=4), LIMIT)) >= 4


def test_more_speakers_than_voices_are_followed_as_far_as_can_be():
    _, voices = voices_of(1, 10)
    assert 1 <= len(find_speakers(voices[:3], SpeakerHints(n_speakers=5), LIMIT)) <= 3


def test_one_single_voice_is_one_speaker():
    _, voices = voices_of(1, 10)
    assert len(find_speakers(voices[:1], SpeakerHints(), LIMIT)) == 1


def test_a_voice_heard_once_is_no_speaker():
    people, voices = voices_of(3, 30)
    others = voices[(voices @ people[2]) < 0.5]
    found = find_speakers(np.concatenate([others, people[2:]]), SpeakerHints(), LIMIT)
    assert len(found) == 2


def test_the_same_people_are_found_among_more_voices_than_are_looked_at():
    people, voices = voices_of(4, 2 * MAX_SAMPLE)
    found = find_speakers(voices, SpeakerHints(), LIMIT)
    assert len(found) == 4
    assert (people @ found.T).max(axis=1).min() > 0.9


@pytest.mark.parametrize(("spectrogram", "n_bands"), [(SlaneyAmplitudes, 40), (KaldiLogarithms, 80)])
def test_the_spectrogram_is_the_same_in_whatever_blocks_the_sound_comes(spectrogram, n_bands):
    sound = np.random.default_rng(0).normal(scale=0.1, size=RATE_HZ).astype(np.float32)
    whole, pieces = spectrogram(), spectrogram()
    at_once = np.concatenate([whole.feed(sound), whole.finish()])
    blocks = [pieces.feed(sound[first : first + 77]) for first in range(0, len(sound), 77)]
    assert at_once.shape == (FRAMES_PER_S + 1, n_bands)
    np.testing.assert_allclose(np.concatenate([*blocks, pieces.finish()]), at_once, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    ("spectrogram", "low", "high"), [(SlaneyAmplitudes, (2, 6), (22, 28)), (KaldiLogarithms, (8, 12), (50, 56))]
)
def test_a_tone_is_loudest_in_the_band_of_its_pitch(spectrogram, low, high):
    times_s = np.arange(RATE_HZ) / RATE_HZ
    loudest = [
        spectrogram().feed(np.sin(2 * np.pi * hz * times_s).astype(np.float32))[50].argmax() for hz in (300, 3000)
    ]
    assert low[0] <= loudest[0] <= low[1] < high[0] <= loudest[1] <= high[1]


def test_rows_that_come_a_few_at_a_time_are_all_there():
    rows, expected = Rows(3, np.float32), np.arange(30_000, dtype=np.float32).reshape(-1, 3)
    for first in range(0, len(expected), 7):
        rows.extend(expected[first : first + 7])
    rows.grow(len(expected) + 2)
    np.testing.assert_array_equal(rows.all(), np.concatenate([expected, np.zeros((2, 3), np.float32)]))


def test_spans_that_meet_or_overlap_are_one():
    spans = [Span(0, 10_000), Span(9_000, 20_000), Span(21_000, 30_000), Span(40_000, 50_000)]
    assert list(joined(spans[::-1])) == [Span(0, 30_000), Span(40_000, 50_000)]


def classes(*rows: int) -> np.ndarray:
    """Sure of one class at each step."""
    return np.eye(N_CLASSES, dtype=np.float32)[list(rows)]


def means_of(*chunks: np.ndarray) -> np.ndarray:
    means = Means()
    for chunk in chunks:
        means.add(chunk)
    return means.all()


def test_chunks_that_call_people_otherwise_are_put_in_one_order():
    n_steps = 2 * HOP_STEPS
    first = classes(*[1] * HOP_STEPS, *[2] * HOP_STEPS)
    second = classes(*[3] * HOP_STEPS, *[1] * HOP_STEPS)
    means = means_of(first, second)
    assert means[:HOP_STEPS].argmax(axis=1).tolist() == [1] * HOP_STEPS
    assert means[HOP_STEPS:n_steps].argmax(axis=1).tolist() == [2] * HOP_STEPS
    assert set(means[n_steps:].argmax(axis=1).tolist()) <= {1, 3}


def test_a_pair_of_people_stays_that_pair_in_the_order_of_the_chunk_before():
    first = classes(*[1] * HOP_STEPS, *[2] * (HOP_STEPS - 50), *[4] * 50)
    second = classes(*[3] * (HOP_STEPS - 50), *[6] * 50, *[2] * HOP_STEPS)
    means = means_of(first, second)
    assert means[2 * HOP_STEPS - 50 : 2 * HOP_STEPS].argmax(axis=1).tolist() == [4] * 50
    assert means[2 * HOP_STEPS :].argmax(axis=1).tolist() == [1] * HOP_STEPS


class Told:
    """A network that says of each chunk how loud it is."""

    def __init__(self) -> None:
        self.chunks: list[np.ndarray] = []

    def classes(self, chunks):
        self.chunks.extend(chunks)
        return np.repeat(classes(*[1 if chunk.any() else 0 for chunk in chunks])[:, None], 589, axis=1)


@pytest.mark.parametrize("seconds", [0.3, 10, 31.7])
def test_every_sample_is_overheard_in_whatever_blocks_the_sound_comes(seconds):
    sound = np.random.default_rng(0).normal(size=int(seconds * RATE_HZ)).astype(np.float32)
    network = Told()
    listening = Eavesdropper(network)
    for first in range(0, len(sound), 7_777):
        listening.feed(sound[first : first + 7_777])
    overheard = listening.finish()
    assert list(overheard.speech())[-1].end == len(sound)
    assert all(len(chunk) == CHUNK for chunk in network.chunks)
    last = network.chunks[-1]
    assert last[: np.flatnonzero(last)[-1] + 1][-1000:].tolist() == sound[-1000:].tolist()


def test_what_is_overheard_is_told_for_each_hundredth_of_a_second():
    overheard = Overheard(10 * RATE_HZ, classes(*[0] * 100, *[2] * 200, *[5] * 100, *[0] * 189))
    who = overheard.who(1000)
    assert [who[50], who[300], who[600], who[900]] == [NOBODY, 2, BOTH, NOBODY]
    (speech,) = overheard.speech()
    (together,) = overheard.together()
    assert speech.start == pytest.approx(1.7 * RATE_HZ, abs=800)
    assert together.start == pytest.approx(5.08 * RATE_HZ, abs=800)
    assert speech.end == together.end


def test_without_a_network_nothing_is_overheard():
    listening = Eavesdropper(None)
    listening.feed(np.ones(RATE_HZ, np.float32))
    overheard = listening.finish()
    assert (list(overheard.speech()), list(overheard.together()), overheard.who(3).tolist()) == ([], [], [0, 0, 0])


def told(*stretches: tuple[int, int]) -> np.ndarray:
    return np.concatenate([np.full(n_frames, who) for who, n_frames in stretches])


def test_a_region_is_cut_where_voices_change():
    who = told((1, 100), (2, 100), (BOTH, 40), (1, 60))
    pieces = cut([Span(0, 3 * RATE_HZ)], who)
    assert pieces == [Piece(0, 100, 1), Piece(100, 200, 2), Piece(200, 240, BOTH), Piece(240, 300, 1)]


def test_a_short_pause_and_a_short_stray_do_not_cut():
    who = told((NOBODY, 10), (1, 100), (NOBODY, 20), (1, 50), (2, 5), (1, 15))
    assert cut([Span(0, 2 * RATE_HZ)], who) == [Piece(0, 200, 1)]


def test_windows_cover_a_piece_and_do_not_reach_beyond_it():
    windows = place([Piece(100, 600, 1)], width=160, hop=40)
    assert (windows.starts[0], windows.starts[-1] + 160) == (100, 600)
    assert np.diff(windows.starts).max() <= 40


def test_a_piece_shorter_than_a_window_has_one_of_its_own_length():
    windows = place([Piece(200, 300, 1), Piece(300, 305, 2)], width=160, hop=40)
    assert (windows.starts.tolist(), windows.widths.tolist(), windows.centres.tolist()) == ([200], [100], [250])


def test_where_two_speak_at_once_there_are_no_windows():
    assert len(place([Piece(0, 300, BOTH)], width=160, hop=40)) == 0


class Steps:
    """A network whose steps are the spectrogram itself, and whose voices are their means."""

    def steps(self, spectra):
        return spectra[:, ::2, :1].transpose(0, 2, 1)

    def voices(self, windows):
        return np.stack([np.full(192, window.mean()) for window in windows]).astype(np.float32)


@pytest.mark.parametrize("n_frames", [60, BLOCK, 1234])
def test_each_window_is_heard_in_the_block_around_it(n_frames):
    ramp = np.repeat(np.arange(n_frames, dtype=np.float16)[:, None], 80, axis=1)
    whole = Span(0, n_frames * 160)
    features = Features(n_frames * 160, (whole,), (Piece(0, n_frames, 1),), (), ramp, 1.0)
    windows = place(features.pieces, width=160, hop=40)
    (voices,) = CamPlusVoices(Steps()).voices(features, [windows], Watch())
    expected = windows.centres - n_frames / 2
    np.testing.assert_allclose(voices[:, 0], expected, atol=2)


def test_where_voices_stand_does_not_depend_on_the_level_of_the_microphone():
    random = np.random.default_rng(0)
    spectra = random.normal(size=(500, 80)).astype(np.float16)
    pieces, regions = (Piece(0, 500, 1),), (Span(0, 500 * 160),)
    windows = place(pieces, width=160, hop=40)
    heard = [
        CamPlusVoices(Steps()).voices(Features(80_000, regions, pieces, (), louder, 1.0), [windows], Watch())[0]
        for louder in (spectra, spectra + np.float16(2))
    ]
    np.testing.assert_allclose(heard[0], heard[1], atol=0.01)


def free(n_steps: int, cost: float = SWITCH_COST) -> np.ndarray:
    return np.full(n_steps, cost, np.float32)


def test_a_moment_that_sounds_a_little_like_another_speaker_is_no_change():
    likeness = np.array([[1, 0], [1, 0], [0.9, 1], [1, 0]], np.float32)
    assert most_likely(likeness, free(4)).tolist() == [0, 0, 0, 0]


def test_a_change_that_is_worth_its_cost_is_believed():
    likeness = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], np.float32)
    assert most_likely(likeness * SWITCH_COST, free(4)).tolist() == [0, 0, 1, 1]


def test_a_change_where_one_was_overheard_costs_less():
    likeness = np.array([[0.1, 0], [0.1, 0], [0, 0.1], [0, 0.1]], np.float32)
    costs = free(4)
    assert most_likely(likeness, costs).tolist() in ([0, 0, 0, 0], [1, 1, 1, 1])
    costs[2] = COST_AT_CUT
    assert most_likely(likeness, costs).tolist() == [0, 0, 1, 1]


def test_a_short_pause_belongs_to_the_turn_unless_somebody_else_speaks():
    turns = [SpeakerTurn(0, 1, "a"), SpeakerTurn(1.5, 2, "a"), SpeakerTurn(2.1, 3, "b"), SpeakerTurn(3.1, 4, "a")]
    assert list(over_pauses(turns)) == [SpeakerTurn(0, 2, "a"), *turns[2:]]
    apart = [SpeakerTurn(0, 1, "a"), SpeakerTurn(3, 4, "a")]
    assert list(over_pauses(apart)) == apart


def spans_s(*pairs: tuple[float, float]) -> list[Span]:
    return [Span(int(start_s * RATE_HZ), int(end_s * RATE_HZ)) for start_s, end_s in pairs]


def test_the_second_voice_is_that_of_who_speaks_next_to_it():
    turns = [SpeakerTurn(0, 5, "a"), SpeakerTurn(5.5, 8, "b"), SpeakerTurn(20, 25, "c")]
    added = list(with_second_voices(turns, spans_s((4, 4.5))))[len(turns) :]
    assert added == [SpeakerTurn(4, 4.5, "a"), SpeakerTurn(4, 4.5, "b")]


def test_who_is_far_away_is_not_the_second_voice():
    turns = [SpeakerTurn(0, 5, "a"), SpeakerTurn(20, 25, "c")]
    assert list(with_second_voices(turns, spans_s((1, 2)))) == turns


def test_one_who_is_heard_only_under_the_other_is_a_speaker_if_there_is_enough_of_it():
    turns = [SpeakerTurn(0, 9, "a")]
    assert list(with_second_voices(turns, spans_s((1, 1.4)))) == turns
    assert list(with_second_voices(turns, spans_s((1, 2), (4, 5))))[1:] == [
        SpeakerTurn(1, 2, UNHEARD),
        SpeakerTurn(4, 5, UNHEARD),
    ]


def test_windows_stay_in_order():
    windows: Windows = place([Piece(0, 100, 1), Piece(100, 700, 2)], width=80, hop=20)
    assert (np.diff(windows.starts) > 0).all()
