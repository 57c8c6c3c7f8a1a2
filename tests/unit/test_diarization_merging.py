"""Words joined with turns."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.speaker_turn import SpeakerTurn
from app.domain.transcript import Segment, Transcript, Word
from app.services.diarization.merging import interleaved, merged, speakers_of, spoken_by

ANN, BOB, EVE = "SPEAKER_00", "SPEAKER_01", "SPEAKER_02"


def line(*words: tuple[str, float, float], at: int = 0) -> Segment:
    """A segment of words with their times."""
    text = " ".join(word for word, _, _ in words)
    made = tuple(Word(word, start_s, end_s, 0.9) for word, start_s, end_s in words)
    return Segment(at, words[0][1], words[-1][2], text, 0.9, None, made)


def said(transcript: Transcript) -> list[tuple[str | None, str]]:
    return [(segment.speaker, segment.text) for segment in transcript.segments]


def test_a_segment_breaks_where_the_speaker_changes():
    heard = Transcript((line(("Good", 0.0, 0.4), ("day.", 0.4, 0.9), ("Hello,", 1.1, 1.5), ("Ann.", 1.5, 2.0)),))
    found = merged(heard, [SpeakerTurn(0.0, 1.0, ANN), SpeakerTurn(1.0, 2.1, BOB)])
    assert said(found) == [(ANN, "Good day."), (BOB, "Hello, Ann.")]
    assert [(segment.id, segment.start_s, segment.end_s) for segment in found.segments] == [
        (0, 0.0, 0.9),
        (1, 1.1, 2.0),
    ]
    assert {word.speaker for word in found.segments[1].words} == {BOB}


def test_a_segment_of_one_speaker_stays_as_it_is():
    segment = line(("All", 0.0, 0.4), ("mine.", 0.4, 0.9))
    found = merged(Transcript((segment,)), [SpeakerTurn(0.0, 1.0, ANN)])
    assert replace(found.segments[0], speaker=None, words=segment.words) == segment


def test_a_word_between_two_turns_goes_with_its_sentence():
    words = [("So", 0.0, 0.3), ("it", 0.3, 0.5), ("is.", 1.1, 1.2), ("Is", 1.6, 1.8), ("it?", 2.0, 2.4)]
    found = merged(Transcript((line(*words),)), [SpeakerTurn(0.0, 0.9, ANN), SpeakerTurn(1.3, 2.5, BOB)])
    assert said(found) == [(ANN, "So it is."), (BOB, "Is it?")], "`is.` is nearer to Bob, but ends Ann's sentence"


def test_where_two_speak_at_once_the_sentence_is_not_torn():
    words = [("I", 0.0, 0.2), ("think", 0.2, 0.6), ("so.", 0.6, 1.0), ("No,", 1.0, 1.4), ("never.", 1.4, 2.0)]
    both = [SpeakerTurn(0.0, 1.3, ANN), SpeakerTurn(0.4, 2.0, BOB)]
    assert said(merged(Transcript((line(*words),)), both)) == [(ANN, "I think so."), (BOB, "No, never.")]


def test_what_is_said_in_a_pause_of_one_speaker_is_that_speakers():
    words = [("one", 0.0, 0.4), ("two", 0.8, 1.0), ("three", 1.4, 1.8)]
    found = merged(Transcript((line(*words),)), [SpeakerTurn(0.0, 0.5, ANN), SpeakerTurn(1.3, 2.0, ANN)])
    assert said(found) == [(ANN, "one two three")]


def test_a_short_answer_within_anothers_turn_is_not_swallowed():
    words = [("and", 0.0, 0.5), ("then", 0.5, 1.0), ("yes", 1.0, 1.3), ("we", 1.3, 1.6), ("went", 1.6, 2.0)]
    turns = [SpeakerTurn(0.0, 1.0, ANN), SpeakerTurn(1.0, 1.3, BOB), SpeakerTurn(1.3, 2.0, ANN)]
    assert said(merged(Transcript((line(*words),)), turns)) == [(ANN, "and then"), (BOB, "yes"), (ANN, "we went")]


def test_lines_without_words_go_to_who_speaks_most_of_them():
    heard = Transcript((Segment(0, 0.0, 4.0, "all of it"), Segment(1, 9.0, 9.5, "far off")))
    found = merged(heard, [SpeakerTurn(0.0, 1.5, ANN), SpeakerTurn(1.5, 4.0, BOB)])
    assert said(found) == [(BOB, "all of it"), (BOB, "far off")]


def test_without_turns_nobody_is_named():
    found = merged(Transcript((line(("Hm.", 0.0, 0.4)),)), [])
    assert (said(found), found.speakers) == ([(None, "Hm.")], ())


def test_speech_that_overlaps_counts_for_both():
    turns = [SpeakerTurn(0.0, 2.0, ANN), SpeakerTurn(1.0, 3.0, ANN), SpeakerTurn(2.0, 5.0, BOB)]
    assert [(speaker.label, speaker.speaking_time_s) for speaker in speakers_of(turns)] == [(ANN, 3.0), (BOB, 3.0)]


def test_a_speaker_of_whom_no_word_was_understood_is_told_of():
    found = merged(Transcript((line(("Hm.", 0.0, 0.4)),)), [SpeakerTurn(0.0, 1.0, ANN), SpeakerTurn(5.0, 6.0, BOB)])
    assert [speaker.label for speaker in found.speakers] == [ANN, BOB]


def test_punctuation_stays_with_its_word_when_a_line_is_broken():
    words = (Word("Well", 0.0, 0.5), Word("hi", 1.0, 1.5))
    heard = Transcript((Segment(0, 0.0, 1.5, "«Well»… — hi!", None, None, words),))
    found = merged(heard, [SpeakerTurn(0.0, 0.7, ANN), SpeakerTurn(0.8, 2.0, BOB)])
    assert said(found) == [(ANN, "«Well»… —"), (BOB, "hi!")]


def test_channels_are_told_line_by_line_in_order_of_time():
    left = spoken_by(Transcript((line(("hello", 0.0, 1.0)), line(("fine", 3.0, 4.0))), duration_s=5.0), ANN)
    right = spoken_by(Transcript((line(("how", 1.5, 2.0)),), duration_s=5.0), BOB)
    found = interleaved([left, right], [SpeakerTurn(0.0, 1.0, ANN), SpeakerTurn(1.5, 2.0, BOB)])
    assert said(found) == [(ANN, "hello"), (BOB, "how"), (ANN, "fine")]
    assert [segment.id for segment in found.segments] == [0, 1, 2]
    assert [speaker.speaking_time_s for speaker in found.speakers] == [1.0, 0.5]


times = st.integers(0, 400).map(lambda n: n / 10)
lengths = st.integers(0, 50).map(lambda n: n / 10)


@st.composite
def turns(draw) -> list[SpeakerTurn]:
    return [
        SpeakerTurn(start_s, start_s + length_s, speaker)
        for start_s, length_s, speaker in draw(
            st.lists(st.tuples(times, lengths, st.sampled_from([ANN, BOB, EVE])), max_size=12)
        )
    ]


@st.composite
def transcripts(draw) -> Transcript:
    segments, at_s = [], 0.0
    for _ in range(draw(st.integers(0, 4))):
        words = []
        for _ in range(draw(st.integers(1, 6))):
            at_s += draw(st.sampled_from([0.0, 0.1, 0.5, 2.0]))
            end_s = at_s + draw(st.sampled_from([0.0, 0.2, 0.7]))
            words.append((draw(st.sampled_from(["yes", "no.", "well,", "«so»", "a"])), at_s, end_s))
            at_s = end_s
        segments.append(line(*words, at=len(segments)))
    return Transcript(tuple(segments))


def words_of(transcript: Transcript) -> list[Word]:
    return [word for segment in transcript.segments for word in segment.words]


def alone(word: Word, known: list[SpeakerTurn]) -> set[str]:
    """Who speaks during the whole word, if nobody else does during any of it."""
    touching = {turn.speaker for turn in known if turn.start_s < word.end_s and word.start_s < turn.end_s}
    around = {turn.speaker for turn in known if turn.start_s <= word.start_s and word.end_s <= turn.end_s}
    return around if touching == around and len(around) == 1 and word.end_s > word.start_s else set()


@given(transcripts(), turns())
def test_no_word_is_lost_doubled_or_moved(heard, known):
    found = merged(heard, known)
    assert [replace(word, speaker=None) for word in words_of(found)] == words_of(heard)
    assert found.text.split() == heard.text.split()


@given(transcripts(), turns())
def test_each_word_has_one_speaker_who_is_the_segments(heard, known):
    found = merged(heard, known)
    labels = {speaker.label for speaker in found.speakers}
    for segment in found.segments:
        assert {word.speaker for word in segment.words} == {segment.speaker}
        assert segment.speaker in labels or not labels
    assert [segment.id for segment in found.segments] == list(range(len(found.segments)))


@given(transcripts(), turns())
def test_a_word_during_which_only_one_speaks_is_that_ones(heard, known):
    for word in words_of(merged(heard, known)):
        assert not (only := alone(word, known)) or {word.speaker} == only


@given(transcripts(), turns())
def test_merging_again_changes_nothing(heard, known):
    once = merged(heard, known)
    assert merged(once, known) == once


@given(transcripts(), turns(), st.randoms(use_true_random=False))
def test_the_order_in_which_turns_are_told_does_not_matter(heard, known, random):
    shuffled = random.sample(known, len(known))
    starts = [(turn.start_s, turn.end_s) for turn in known]
    if len(set(starts)) == len(starts):
        assert words_of(merged(heard, shuffled)) == words_of(merged(heard, known))


@given(turns())
def test_speaking_times_are_no_longer_than_the_turns_and_no_shorter_than_the_longest(known):
    for speaker in speakers_of(known):
        lengths_s = [turn.end_s - turn.start_s for turn in known if turn.speaker == speaker.label]
        assert max(lengths_s) - 0.001 <= speaker.speaking_time_s <= sum(lengths_s) + 0.001


@pytest.mark.parametrize("n_speakers", [1, 20])
def test_an_hour_is_merged_in_little_time(n_speakers):
    words = [(f"w{at}", at * 0.4, at * 0.4 + 0.35) for at in range(9_000)]
    segments = tuple(line(*words[at : at + 10], at=at // 10) for at in range(0, len(words), 10))
    known = [SpeakerTurn(at * 4.0, at * 4.0 + 4.0, f"SPEAKER_{at % n_speakers:02}") for at in range(900)]
    found = merged(Transcript(segments), known)
    assert len(found.speakers) == n_speakers
    assert all(word.speaker == f"SPEAKER_{int(word.start_s // 4) % n_speakers:02}" for word in words_of(found))
