"""From decoded pieces to segments and lines: in place, in order, and without what nobody said."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.audio.sound import RATE_HZ, Span
from app.engines.whisper_lines import lines
from app.engines.whisper_segments import Decoded, DecodedWord, placed

SPAN = Span(10 * RATE_HZ, 15 * RATE_HZ)


def piece(text=" Hello.", start_s=0.5, end_s=1.5, words=(), **more):
    return Decoded(text, start_s, end_s, **{"avg_logprob": -0.1, "no_speech_prob": 0.0, **more}, words=words)


def spoken_words(*times, text=" word"):
    return tuple(DecodedWord(text, start_s, end_s, 0.9) for start_s, end_s in times)


def test_times_count_from_the_start_of_the_sound():
    (segment,) = placed([piece(words=spoken_words((0.5, 0.9)))], SPAN)
    assert (segment.start_s, segment.end_s, segment.text) == (10.5, 11.5, "Hello.")
    assert (segment.words[0].start_s, segment.words[0].end_s, segment.words[0].word) == (10.5, 10.9, "word")


def test_confidence_is_the_geometric_mean_of_probabilities():
    (segment,) = placed([piece(avg_logprob=math.log(0.25))], SPAN)
    assert segment.confidence == 0.25


def test_confidence_never_exceeds_one():
    (segment,) = placed([piece(avg_logprob=0.1, words=(DecodedWord(" a", 0.5, 0.6, 1.0001),))], SPAN)
    assert (segment.confidence, segment.words[0].confidence) == (1.0, 1.0)


def test_what_was_made_up_on_silence_is_dropped():
    assert list(placed([piece(no_speech_prob=0.9, avg_logprob=-1.5)], SPAN)) == []


@pytest.mark.parametrize("sure", [{"no_speech_prob": 0.9}, {"avg_logprob": -1.5}])
def test_one_sign_of_silence_is_not_enough(sure):
    assert len(list(placed([piece(**sure)], SPAN))) == 1


def test_what_was_made_up_on_the_last_instant_of_a_span_is_dropped():
    thanks = piece(" Thank you.", 4.8, 5.0, window_s=4.8)
    assert list(placed([piece(), thanks], SPAN)) == list(placed([piece()], SPAN))


def test_a_short_span_is_no_leftover():
    assert len(list(placed([piece(" Yes.", 0.0, 0.2)], Span(0, RATE_HZ // 5)))) == 1


def test_what_stands_in_the_padding_after_a_span_is_dropped():
    assert list(placed([piece(start_s=5.2, end_s=7.0)], SPAN)) == []


@pytest.mark.parametrize("text", ["", "  ", "\n"])
def test_nothing_said_is_no_segment(text):
    assert list(placed([piece(text)], SPAN)) == []


def test_an_end_in_the_padding_is_moved_to_the_end_of_the_span():
    (segment,) = placed([piece(end_s=29.0, words=spoken_words((0.5, 4.0), (4.0, 29.0)))], SPAN)
    assert (segment.end_s, segment.words[-1].end_s) == (15.0, 15.0)


def test_segments_do_not_overlap_if_they_can_help_it():
    first, second = placed([piece(end_s=2.0), piece(start_s=1.8, end_s=3.0)], SPAN)
    assert first.end_s == second.start_s == 12.0


def test_a_segment_that_lies_before_the_one_before_is_kept_all_the_same():
    texts = [segment.text for segment in placed([piece(end_s=4.0), piece(" Lost?", 1.0, 2.0)], SPAN)]
    assert texts == ["Hello.", "Lost?"]


def test_segments_come_before_the_next_is_decoded():
    def decoding():
        yield piece()
        raise AssertionError("looked too far ahead")

    assert next(placed(decoding(), SPAN)).text == "Hello."


times = st.floats(-2, 32).map(lambda t: round(t, 2))


@given(st.lists(st.tuples(times, times), min_size=1, max_size=20), times, times)
def test_words_are_always_in_order_and_within_their_segment(pairs, start_s, end_s):
    for segment in placed([piece(start_s=start_s, end_s=end_s, words=spoken_words(*pairs))], SPAN):
        assert 10.0 <= segment.start_s < segment.end_s <= 15.0
        edges = [edge for word in segment.words for edge in (word.start_s, word.end_s)]
        assert edges == sorted(edges)
        assert segment.start_s <= edges[0] <= edges[-1] <= segment.end_s


def test_sentences_become_lines():
    words = (*spoken_words((0, 0.5)), DecodedWord(" done.", 0.5, 1.2, 0.9), *spoken_words((1.2, 2.0), text=" Next"))
    first, second = lines(piece(" word done. Next", 0, 2, words=words))
    assert (first.text, first.start_s, first.end_s) == (" word done.", 0, 1.2)
    assert (second.text, second.start_s, second.end_s) == (" Next", 1.2, 2.0)


def test_an_abbreviation_ends_no_line():
    words = (DecodedWord(" Dr.", 0.0, 0.3, 0.9), *spoken_words((0.3, 1.0)))
    assert [line.text for line in lines(piece(words=words))] == [" Dr. word"]


def test_a_pause_ends_a_line():
    assert len(list(lines(piece(words=spoken_words((0.0, 0.3), (1.5, 2.0)))))) == 2


def test_a_piece_without_words_stays_whole():
    assert list(lines(piece())) == [piece()]


@given(st.lists(st.sampled_from([" a", " b.", "。", " Mr.", "c!"]), min_size=1, max_size=30))
def test_lines_lose_no_word(texts):
    words = tuple(DecodedWord(text, i * 0.4, i * 0.4 + 0.3, 0.9) for i, text in enumerate(texts))
    cut = list(lines(replace(piece(), words=words)))
    assert "".join(line.text for line in cut) == "".join(texts)
    assert [word for line in cut for word in line.words] == list(words)
