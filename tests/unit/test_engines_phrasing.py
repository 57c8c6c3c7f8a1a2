"""How words become segments."""

from hypothesis import given
from hypothesis import strategies as st

from app.domain.transcript import Word
from app.engines.phrasing import MAX_WORDS, MIN_WORDS, PAUSE_S, segments_of


def spoken(*gaps_s: float, confidence: float | None = 0.5) -> list[Word]:
    """One word of 0.3 s after each gap, named by its number."""
    words, clock_s = [], 0.0
    for number, gap_s in enumerate(gaps_s):
        start_s = clock_s + gap_s
        clock_s = start_s + 0.3
        words.append(Word(str(number), start_s, clock_s, confidence))
    return words


def texts(words: list[Word]) -> list[str]:
    return [segment.text for segment in segments_of(words, keep_words=True)]


def test_no_words_make_no_segment():
    assert texts([]) == []


def test_a_pause_ends_a_segment_and_a_shorter_one_does_not():
    assert texts(spoken(0.0, PAUSE_S - 0.1, PAUSE_S + 0.1, 0.0)) == ["0 1", "2 3"]


def test_a_long_stretch_is_cut_at_its_longest_pause():
    gaps_s = [0.0] * 16
    gaps_s[5], gaps_s[9] = 0.4, 0.2
    assert [len(text.split()) for text in texts(spoken(*gaps_s))] == [5, 11]


def test_a_long_stretch_without_pauses_is_cut_in_the_middle():
    assert [len(text.split()) for text in texts(spoken(*[0.0] * 16))] == [8, 8]


def test_the_confidence_is_the_mean_of_the_words():
    words = [Word("a", 0.0, 0.1, 0.2), Word("b", 0.1, 0.2, 0.6)]
    [segment] = segments_of(words, keep_words=False)
    assert segment.confidence == 0.4
    assert segment.words == ()


def test_unknown_confidences_stay_unknown():
    [segment] = segments_of(spoken(0.0, confidence=None), keep_words=True)
    assert segment.confidence is None


@given(st.lists(st.floats(0.0, 1.0), max_size=60))
def test_no_word_is_lost_and_no_segment_is_too_long(gaps_s):
    words = spoken(*gaps_s)
    segments = list(segments_of(words, keep_words=True))
    assert [word for segment in segments for word in segment.words] == words
    assert all(1 <= len(segment.words) <= MAX_WORDS for segment in segments)
    assert all(segment.end_s > segment.start_s for segment in segments)


@given(st.lists(st.floats(0.0, PAUSE_S - 0.01), min_size=MAX_WORDS + 1, max_size=60))
def test_nobody_is_cut_off_after_a_word_or_two(gaps_s):
    assert all(len(text.split()) >= MIN_WORDS for text in texts(spoken(*gaps_s)))
