"""What people correct: texts change, words that were kept keep their times."""

from hypothesis import given
from hypothesis import strategies as st

from app.domain.editing import edited, rewritten
from app.domain.transcript import Segment, Transcript, Word


def said(*words: str) -> Segment:
    """A segment whose words take a second each, from 10 s on."""
    timed = tuple(Word(word, 10.0 + i, 11.0 + i, 0.5, "SPEAKER_00") for i, word in enumerate(words))
    return Segment(0, 10.0, 10.0 + len(words), " ".join(words), 0.5, "SPEAKER_00", timed)


def test_words_that_were_kept_keep_time_and_confidence():
    corrected = rewritten(said("the", "brown", "fax", "jumps"), "The brown fox jumps.")
    assert [(word.word, word.start_s) for word in corrected.words] == [
        ("The", 10.0),
        ("brown", 11.0),
        ("fox", 12.0),
        ("jumps.", 13.0),
    ]
    assert [word.confidence for word in corrected.words] == [0.5, 0.5, None, 0.5]


def test_words_put_in_go_between_their_neighbours():
    corrected = rewritten(said("brown", "jumps"), "brown fox quickly jumps")
    assert [(word.start_s, word.end_s) for word in corrected.words] == [(10, 11), (11, 11), (11, 11), (11, 12)]


def test_several_words_for_one_share_its_time_by_their_length():
    corrected = rewritten(said("gonna"), "go away")
    assert [(word.word, word.start_s, word.end_s) for word in corrected.words] == [
        ("go", 10, 10 + 1 / 3),
        ("away", 10 + 1 / 3, 11),
    ]


def test_a_segment_without_word_times_gets_none():
    assert rewritten(Segment(0, 0.0, 1.0, "hullo"), "hello").words == ()


def test_only_the_segments_that_were_corrected_change():
    heard = Transcript((said("one"), Segment(1, 1.0, 2.0, "two")))
    assert [one.text for one in edited(heard, {1: "too"}).segments] == ["one", "too"]
    assert edited(heard, {}) is heard


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=6), st.lists(st.sampled_from("abcdé"), max_size=8))
def test_however_it_is_rewritten_the_words_spell_the_text_in_order_of_time(before: list[str], after: list[str]):
    segment = rewritten(said(*before), " ".join(after))
    assert [word.word for word in segment.words] == after
    edges = [edge for word in segment.words for edge in (word.start_s, word.end_s)]
    assert edges == sorted(edges)
    assert all(segment.start_s <= edge <= segment.end_s for edge in edges)
