"""States, errors and numbers of the domain."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import InvalidFields, MediaUnreadable, ParloirError, RefusedTransition
from app.domain.job import seq_of_state
from app.domain.states import EDGES, FINAL_STATES, JobState, transition
from app.domain.transcript import Segment, Speaker, Transcript, Word, segment_from_dict, segment_to_dict
from app.helpers.backoff import backoff_s
from app.helpers.database_url import with_driver


def all_errors(kind: type[ParloirError] = ParloirError) -> list[type[ParloirError]]:
    return [kind, *(error for sub in kind.__subclasses__() for error in all_errors(sub))]


@pytest.mark.parametrize("old", JobState)
@pytest.mark.parametrize("new", JobState)
def test_only_the_edges_of_the_table_can_be_taken(old, new):
    if new in EDGES[old]:
        assert transition(old, new) is new
    else:
        with pytest.raises(RefusedTransition):
            transition(old, new)


def test_a_completed_job_never_changes():
    assert EDGES[JobState.COMPLETED] == frozenset()


def test_final_states_are_those_that_say_so():
    assert {state for state in JobState if state.is_final} == set(FINAL_STATES)


@pytest.mark.parametrize("state", sorted(FINAL_STATES))
def test_the_end_of_a_run_comes_after_all_that_happened_in_it_and_before_the_next(state):
    assert seq_of_state(JobState.PROCESSING, 3) < seq_of_state(JobState.QUEUED, 3) < seq_of_state(state, 3)
    assert seq_of_state(state, 3) < seq_of_state(JobState.PROCESSING, 4)


def test_error_codes_are_unique():
    codes = [error.code for error in all_errors()]
    assert len(codes) == len(set(codes))


def test_messages_have_their_parameters_filled_in_and_survive_a_pipe():
    error = pickle.loads(pickle.dumps(MediaUnreadable(reason="it is noise")))
    assert error.message == "The recording cannot be decoded: it is noise."
    assert error.params == {"reason": "it is noise"}
    fields = pickle.loads(pickle.dumps(InvalidFields({"language": ["is unknown"]})))
    assert fields.errors == {"language": ["is unknown"]}


@given(st.integers(1, 40))
def test_waits_double_up_to_the_cap(failures):
    assert 0.75 * min(300, 2 * 2 ** (failures - 1)) <= backoff_s(failures) <= 1.25 * 300


def test_a_segment_comes_back_as_it_was_stored():
    segment = Segment(3, 1.0, 2.5, "bon jour", 0.5, "SPEAKER_00", (Word("bon", 1.0, 1.5, 0.4), Word("jour", 1.5, 2.5)))
    assert segment_from_dict(segment_to_dict(segment)) == segment


def test_a_transcript_reads_as_one_text_and_names_its_speakers():
    segments = (Segment(0, 0, 1, " Hello "), Segment(1, 1, 2, ""), Segment(2, 2, 3, "there"))
    transcript = Transcript(segments, (Speaker("SPEAKER_00", "Ada"), Speaker("SPEAKER_01")))
    assert transcript.text == "Hello there"
    labels = ("SPEAKER_00", "SPEAKER_01", None)
    assert [transcript.speaker_name(label) for label in labels] == ["Ada", "SPEAKER_01", None]


@pytest.mark.parametrize("url", ["postgresql://u@h/d", "postgres://u@h/d", "postgresql+psycopg2://u@h/d"])
def test_our_driver_is_named_in_every_database_url(url):
    assert with_driver(url) == "postgresql+psycopg2://u@h/d"
