"""What was heard is put within the speech, and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.transcript import Segment, Word
from app.services.transcription.placement import Stretch, tidy, within_speech

SPEECH = (Stretch(1.0, 2.0), Stretch(5.0, 6.0))


def segment(*words: Word, text: str | None = None) -> Segment:
    said = " ".join(word.word for word in words) if text is None else text
    return Segment(0, words[0].start_s, words[-1].end_s, said, words=words)


def test_what_lies_in_speech_stays_as_it_is() -> None:
    heard = segment(Word("well", 1.1, 1.4), Word("then", 1.5, 1.9))
    assert within_speech(heard, SPEECH) == heard


def test_a_word_that_reaches_into_silence_is_clipped() -> None:
    placed = within_speech(segment(Word("well", 0.5, 1.4), Word("then", 1.5, 4.0)), SPEECH)
    assert placed is not None
    assert [(word.start_s, word.end_s) for word in placed.words] == [(1.0, 1.4), (1.5, 2.0)]
    assert (placed.start_s, placed.end_s) == (1.0, 2.0)


def test_words_where_nobody_spoke_are_left_out_of_the_text_too() -> None:
    heard = segment(
        Word("Well,", 1.1, 1.4), Word("thanks", 3.0, 3.5), Word("then.", 5.1, 5.5), text="Well, thanks then."
    )
    placed = within_speech(heard, SPEECH)
    assert placed is not None
    assert placed.text == "Well, then."
    assert [word.word for word in placed.words] == ["Well,", "then."]


def test_text_without_spaces_stays_without() -> None:
    heard = segment(Word("天", 1.1, 1.4), Word("地", 3.0, 3.5), Word("人", 5.1, 5.5), text="天地人")
    placed = within_speech(heard, SPEECH)
    assert placed is not None
    assert placed.text == "天人"


@pytest.mark.parametrize("words", [(), (Word("thanks", 2.5, 3.0),)])
def test_a_segment_where_nobody_spoke_is_dropped(words: tuple[Word, ...]) -> None:
    assert within_speech(Segment(0, 2.5, 3.0, "thanks", words=words), SPEECH) is None


def test_a_segment_without_words_is_clipped_as_a_whole() -> None:
    placed = within_speech(Segment(0, 0.0, 5.5, "well then"), SPEECH)
    assert placed is not None
    assert (placed.start_s, placed.end_s) == (1.0, 5.5)


def test_to_meet_speech_at_an_edge_is_not_to_lie_in_it() -> None:
    assert within_speech(Segment(0, 2.0, 3.0, "thanks"), SPEECH) is None


times = st.floats(0, 8)


@given(st.lists(st.tuples(times, times), min_size=1, max_size=6))
def test_every_word_that_is_left_touches_speech_and_lies_in_its_segment(spans: list[tuple[float, float]]) -> None:
    ordered = sorted(tuple(sorted(span)) for span in spans)
    heard = segment(*(Word(f"w{i}", start, end) for i, (start, end) in enumerate(ordered)))
    placed = within_speech(heard, SPEECH)
    if placed is None:
        return
    assert placed.text.split() == [word.word for word in placed.words]
    for word in placed.words:
        assert any(one.start_s <= word.end_s and word.start_s <= one.end_s for one in SPEECH)
        assert 1.0 <= word.start_s <= word.end_s <= 6.0
        assert placed.start_s <= word.start_s


def test_texts_are_made_fit_to_be_stored() -> None:
    tidied = tidy(Segment(0, 0, 1, " Oh\n no\x00 ", words=(Word(" Oh", 0, 0.5), Word("\x00", 0.5, 0.6))))
    assert tidied.text == "Oh no"
    assert [word.word for word in tidied.words] == ["Oh"]
