"""What every streaming recogniser must do, whatever engine it comes from.

Subclass `StreamingConformance` in a test module (name the class `Test…`) and give it two fixtures: `model`, a loaded
`StreamingModel`, and `recording`, a `Recording` it should recognise. Set the class attributes where an engine is
less exact or cannot do something.
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar

import numpy as np
import pytest
from engine_conformance import Recording, plain, silence
from jiwer import wer

from app.audio.sound import RATE_HZ, Pcm
from app.engines.streaming import Heard, Hypothesis, Silence, StreamingModel, StreamOptions, Utterance

CHUNK = RATE_HZ // 10
GAP_S = 1.2


def pieces(pcm: Pcm, n_samples: int) -> Iterator[Pcm]:
    """`pcm` in chunks of `n_samples`; the last may be shorter."""
    return (pcm[start : start + n_samples] for start in range(0, len(pcm), n_samples))


def listened(
    model: StreamingModel, pcm: Pcm, options: StreamOptions | None = None, n_samples: int = CHUNK
) -> list[Heard]:
    """Everything a new recogniser tells of `pcm`, to the end."""
    recognizer = model.open(options or StreamOptions())
    heard = [one for piece in pieces(pcm, n_samples) for one in recognizer.accept(piece)]
    heard += recognizer.finish()
    recognizer.close()
    return heard


def utterances(heard: Sequence[Heard]) -> list[Utterance]:
    """The finals."""
    return [one for one in heard if isinstance(one, Utterance)]


def for_good(heard: Sequence[Heard]) -> list[Heard]:
    """All but hypotheses."""
    return [one for one in heard if not isinstance(one, Hypothesis)]


def text_of(heard: Sequence[Heard]) -> str:
    """All that was said, as plain words."""
    return plain(" ".join(one.segment.text for one in utterances(heard)))


def said_twice(recording: Recording) -> Pcm:
    """The recording, twice, with silence around and between."""
    gap = silence(GAP_S)
    return np.concatenate([gap, recording.pcm, gap, recording.pcm, gap])


def shifted(one: Heard, n_samples: int) -> tuple[object, ...]:
    """What was told for good, with its places moved, in a form that can be compared."""
    cursor = getattr(one, "cursor", 0) + n_samples
    if not isinstance(one, Utterance):
        return (cursor,)
    words = [(word.word, round(word.start_s + n_samples / RATE_HZ, 3)) for word in one.segment.words]
    return (cursor, one.segment.text, one.speech_final, one.segment.confidence, one.alternatives, *words)


class StreamingConformance:
    """The behaviour that services rely on."""

    max_wer: ClassVar[float] = 0.0
    tells_words: ClassVar[bool] = True
    tells_confidence: ClassVar[bool] = True
    tells_hypotheses: ClassVar[bool] = True

    @pytest.fixture(scope="class")
    @classmethod
    def options(cls, recording: Recording) -> StreamOptions:
        return StreamOptions(language=recording.language)

    @pytest.fixture(scope="class")
    @classmethod
    def heard(cls, model, recording, options) -> list[Heard]:
        return listened(model, said_twice(recording), options)

    def test_it_hears_what_was_said(self, heard, recording):
        expected = plain(f"{recording.text} {recording.text}")
        told = text_of(heard)
        assert wer(expected, told) <= self.max_wer, f"heard {told!r} for {expected!r}"

    def test_an_utterance_is_told_when_it_is_over_and_not_at_the_end_of_the_stream(self, model, recording, options):
        recognizer = model.open(options)
        pcm = np.concatenate([silence(GAP_S), recording.pcm, silence(GAP_S)])
        heard = [one for piece in pieces(pcm, CHUNK) for one in recognizer.accept(piece)]
        assert utterances(heard)
        assert utterances(heard)[-1].speech_final

    def test_times_lie_where_the_words_were_said_and_never_go_back(self, heard, recording):
        clock_s = 0.0
        length_s = len(said_twice(recording)) / RATE_HZ
        for utterance in utterances(heard):
            segment = utterance.segment
            assert clock_s <= segment.start_s < segment.end_s <= utterance.cursor / RATE_HZ <= length_s
            for word in segment.words:
                assert clock_s <= word.start_s <= word.end_s <= segment.end_s
                clock_s = word.start_s
            clock_s = max(clock_s, segment.start_s)
        assert GAP_S - 0.6 <= utterances(heard)[0].segment.start_s <= GAP_S + len(recording.pcm) / RATE_HZ

    def test_the_words_make_up_the_text(self, heard):
        if not self.tells_words:
            pytest.skip("this engine tells no word times")
        for utterance in utterances(heard):
            assert plain(" ".join(word.word for word in utterance.segment.words)) == plain(utterance.segment.text)

    def test_confidences_are_between_zero_and_one(self, heard):
        if not self.tells_confidence:
            pytest.skip("this engine tells no confidences")
        for utterance in utterances(heard):
            told = [utterance.segment.confidence, *(word.confidence for word in utterance.segment.words)]
            assert all(isinstance(confidence, float) and 0.0 <= confidence <= 1.0 for confidence in told)

    def test_cursors_rise_and_end_where_the_sound_ends(self, heard, recording):
        cursors = [one.cursor for one in for_good(heard)]
        assert cursors == sorted(cursors)
        assert cursors[-1] == len(said_twice(recording))

    @pytest.mark.parametrize("n_samples", [333, 10_000_000])
    def test_what_is_told_for_good_does_not_depend_on_how_the_sound_was_cut(
        self, model, recording, options, heard, n_samples
    ):
        again = listened(model, said_twice(recording), options, n_samples)
        assert for_good(again) == for_good(heard)

    def test_one_that_begins_anew_at_any_cursor_tells_what_the_first_would_have(self, model, recording, options, heard):
        pcm = said_twice(recording)
        told = for_good(heard)
        for i, one in enumerate(told[:-1]):
            rest = for_good(listened(model, pcm[one.cursor :], options))
            assert [shifted(again, one.cursor) for again in rest] == [shifted(first, 0) for first in told[i + 1 :]]

    def test_streams_side_by_side_do_not_disturb_each_other(self, model, recording, options, heard):
        one, other = model.open(options), model.open(options)
        pcm = said_twice(recording)
        told: list[Heard] = []
        for piece in pieces(pcm, CHUNK):
            told += one.accept(piece)
            other.accept(piece[::-1].copy())
        told += one.finish()
        assert for_good(told) == for_good(heard)

    def test_hypotheses_come_while_somebody_speaks(self, heard):
        if not self.tells_hypotheses:
            pytest.skip("this engine tells no hypotheses")
        first = next(i for i, one in enumerate(heard) if isinstance(one, Utterance))
        before = [one for one in heard[:first] if isinstance(one, Hypothesis)]
        assert before
        assert all(one.text and one.start_sample < one.end_sample for one in before)

    def test_no_hypotheses_come_if_they_are_not_wanted(self, model, recording, options, heard):
        plainly = StreamOptions(language=options.language, interim_results=False)
        assert listened(model, said_twice(recording), plainly) == for_good(heard)

    def test_the_silence_that_ends_an_utterance_is_the_one_asked_for(self, model, recording):
        first = [self._end_of(model, recording, endpoint_ms) for endpoint_ms in (300, 1_500)]
        assert 0.9 <= first[1] - first[0] <= 1.5

    def _end_of(self, model, recording, endpoint_ms):
        """When the last utterance of one saying was over, in seconds."""
        pcm = np.concatenate([silence(1.0), recording.pcm, silence(3.0)])
        options = StreamOptions(language=recording.language, endpoint_ms=endpoint_ms)
        return utterances(listened(model, pcm, options))[-1].cursor / RATE_HZ

    def test_silence_gives_no_words_and_moves_the_cursor_at_least_every_two_seconds(self, model, options):
        heard = listened(model, silence(9.0), options)
        assert all(isinstance(one, Silence) for one in heard)
        cursors = [0, *(one.cursor for one in heard)]
        assert max(np.diff(cursors)) <= 2 * RATE_HZ + 1_024
        assert cursors[-1] == 9 * RATE_HZ

    def test_finishing_in_the_middle_tells_what_is_pending_and_the_stream_goes_on(self, model, recording, options):
        recognizer = model.open(options)
        recognizer.accept(np.concatenate([silence(1.0), recording.pcm]))
        pending = recognizer.finish()
        assert utterances(pending)
        assert for_good(pending)[-1].cursor == RATE_HZ + len(recording.pcm)
        recognizer.accept(np.concatenate([silence(1.0), recording.pcm]))
        assert text_of(recognizer.finish()) == text_of(pending)

    def test_nothing_pending_is_nothing_said(self, model, options):
        recognizer = model.open(options)
        assert utterances(recognizer.finish()) == []
        assert utterances(recognizer.accept(silence(0.0))) == []

    def test_one_closed_in_the_middle_leaves_no_trace(self, model, recording, options, heard):
        abandoned = model.open(options)
        abandoned.accept(np.concatenate([silence(1.0), recording.pcm[: RATE_HZ // 2]]))
        abandoned.close()
        assert for_good(listened(model, said_twice(recording), options)) == for_good(heard)

    def test_the_sound_given_is_left_as_it_was(self, model, recording, options):
        pcm = recording.pcm.copy()
        pcm.setflags(write=False)
        listened(model, pcm, options)
        assert np.array_equal(pcm, recording.pcm)
