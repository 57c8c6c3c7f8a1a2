"""What every transcriber must do, whatever engine it comes from.

Subclass `TranscriberConformance` in a test module (name the class `Test…`) and give it two fixtures:
`transcriber`, a loaded `Transcriber`, and `recording`, a `Recording` it should recognise. Set the class
attributes where an engine is less exact or cannot do something.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, overload

import numpy as np
import pytest
from jiwer import wer

from app.audio.sound import RATE_HZ, Pcm, Span
from app.domain.transcript import Segment
from app.engines.base import EngineOptions, Transcriber

MARGIN_S = 0.011
"""A hundredth of a second: the finest step in which engines count time, and a little for rounding."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A known text spoken once; `pcm` is float32, mono, 16 kHz, shape (n,)."""

    pcm: Pcm
    text: str
    language: str = "en"

    @property
    def span(self) -> Span:
        """All of it."""
        return Span(0, len(self.pcm))


class WatchedSpans(Sequence[Span]):
    """Spans that remember how many of them were looked at, to tell a lazy engine from an eager one."""

    def __init__(self, spans: Sequence[Span]) -> None:
        self._spans = list(spans)
        self.n_read = 0

    def __len__(self) -> int:
        return len(self._spans)

    @overload
    def __getitem__(self, index: int) -> Span: ...
    @overload
    def __getitem__(self, index: slice) -> list[Span]: ...
    def __getitem__(self, index: int | slice) -> Span | list[Span]:
        stop = index.indices(len(self))[1] if isinstance(index, slice) else index + 1
        self.n_read = max(self.n_read, min(stop, len(self)))
        return self._spans[index]

    def __iter__(self) -> Iterator[Span]:
        for i in range(len(self)):
            yield self[i]


def silence(duration_s: float) -> Pcm:
    """Digital silence."""
    return np.zeros(int(duration_s * RATE_HZ), np.float32)


def plain(text: str) -> str:
    """Words alone, in lower case, so that only what was said is compared."""
    return " ".join(re.findall(r"[\w']+", text.lower()))


def text_of(segments: Sequence[Segment]) -> str:
    """All that was said, as plain words."""
    return plain(" ".join(segment.text for segment in segments))


def transcribed(
    transcriber: Transcriber, pcm: Pcm, spans: Sequence[Span] | None = None, options: EngineOptions | None = None
) -> list[Segment]:
    """Everything the transcriber says of `pcm`; of all of it, if no spans are given."""
    whole = [Span(0, len(pcm))]
    return list(transcriber.transcribe(pcm, whole if spans is None else spans, options or EngineOptions()))


def twice(recording: Recording, gap_s: float = 3.0) -> tuple[Pcm, list[Span]]:
    """The recording said twice with silence before and between, and where it is said."""
    first = int(1.0 * RATE_HZ)
    second = first + len(recording.pcm) + int(gap_s * RATE_HZ)
    pcm = np.concatenate([silence(1.0), recording.pcm, silence(gap_s), recording.pcm, silence(0.5)])
    return pcm, [Span(start, start + len(recording.pcm)) for start in (first, second)]


def assert_says(recording: Recording, segments: Sequence[Segment], max_wer: float = 0.0) -> None:
    """The words said are those of the recording, up to a word error rate."""
    told = text_of(segments)
    assert wer(plain(recording.text), told) <= max_wer, f"heard {told!r} for {recording.text!r}"


def assert_within(span: Span, segments: Sequence[Segment]) -> None:
    """Segments and words lie in the span, do not end before they start, and never go back in time."""
    clock_s = span.start / RATE_HZ
    for segment in segments:
        assert clock_s - MARGIN_S <= segment.start_s < segment.end_s <= span.end / RATE_HZ + MARGIN_S
        _assert_words_within(segment)
        clock_s = segment.start_s


def _assert_words_within(segment: Segment) -> None:
    clock_s = segment.start_s
    for word in segment.words:
        assert clock_s - MARGIN_S <= word.start_s <= word.end_s <= segment.end_s + MARGIN_S, word
        clock_s = word.end_s


class TranscriberConformance:
    """The behaviour that services rely on."""

    max_wer: ClassVar[float] = 0.0
    tells_words: ClassVar[bool] = True
    tells_confidence: ClassVar[bool] = True
    batch_size: ClassVar[int] = 1
    """How many spans the engine may take at once."""

    @pytest.fixture
    def options(self, recording: Recording) -> EngineOptions:
        return EngineOptions(language=recording.language)

    def test_it_hears_what_was_said(self, transcriber, recording, options):
        assert_says(recording, transcribed(transcriber, recording.pcm, options=options), self.max_wer)

    def test_times_lie_within_the_recording_and_never_go_back(self, transcriber, recording, options):
        segments = transcribed(transcriber, recording.pcm, options=options)
        assert segments
        assert_within(recording.span, segments)

    def test_the_words_make_up_the_text(self, transcriber, recording, options):
        if not self.tells_words:
            pytest.skip("this engine tells no word times")
        for segment in transcribed(transcriber, recording.pcm, options=options):
            assert plain(" ".join(word.word for word in segment.words)) == plain(segment.text)
            assert all(word.word == word.word.strip() != "" for word in segment.words)
            assert any(word.end_s > word.start_s for word in segment.words)

    def test_no_words_are_given_when_none_were_asked_for(self, transcriber, recording, options):
        segments = transcribed(transcriber, recording.pcm, options=replace(options, word_timestamps=False))
        assert segments
        assert all(segment.words == () for segment in segments)
        assert_says(recording, segments, self.max_wer)

    def test_confidences_are_between_zero_and_one(self, transcriber, recording, options):
        if not self.tells_confidence:
            pytest.skip("this engine tells no confidences")
        for segment in transcribed(transcriber, recording.pcm, options=options):
            told = [segment.confidence, *(word.confidence for word in segment.words)]
            assert all(isinstance(confidence, float) and 0.0 <= confidence <= 1.0 for confidence in told)

    def test_texts_are_trimmed_and_never_empty(self, transcriber, recording, options):
        for segment in transcribed(transcriber, recording.pcm, options=options):
            assert segment.text == segment.text.strip() != ""

    def test_nobody_speaks_in_silence(self, transcriber, options):
        assert transcribed(transcriber, silence(4.0), options=options) == []

    def test_no_spans_mean_no_segments(self, transcriber, recording, options):
        assert transcribed(transcriber, recording.pcm, [], options) == []

    def test_a_span_too_short_for_a_sound_says_nothing(self, transcriber, recording, options):
        assert transcribed(transcriber, recording.pcm, [Span(100, 100), Span(200, 210)], options) == []

    def test_times_count_from_the_start_of_the_sound_and_not_of_the_span(self, transcriber, recording, options):
        pcm, spans = twice(recording)
        segments = transcribed(transcriber, pcm, spans, options)
        for span in spans:
            inside = [s for s in segments if span.start <= s.start_s * RATE_HZ + 200 and s.start_s * RATE_HZ < span.end]
            assert_says(recording, inside, self.max_wer)
            assert_within(span, inside)

    def test_only_what_lies_in_the_spans_is_told(self, transcriber, recording, options):
        pcm, spans = twice(recording)
        segments = transcribed(transcriber, pcm, spans[1:], options)
        assert_says(recording, segments, self.max_wer)
        assert_within(spans[1], segments)

    def test_the_first_segment_comes_before_the_last_span_is_looked_at(self, transcriber, recording, options):
        pcm, spans = twice(recording)
        watched = WatchedSpans([spans[0]] + [spans[1]] * (self.batch_size + 1))
        segments = transcriber.transcribe(pcm, watched, options)
        first = next(iter(segments))
        assert first.start_s < spans[1].start / RATE_HZ
        assert watched.n_read < len(watched)

    def test_it_can_be_used_again_after_an_abandoned_call(self, transcriber, recording, options):
        pcm, spans = twice(recording)
        abandoned = transcriber.transcribe(pcm, spans, options)
        next(abandoned)
        abandoned.close()
        assert_says(recording, transcribed(transcriber, recording.pcm, options=options), self.max_wer)

    def test_the_sound_given_is_left_as_it_was(self, transcriber, recording, options):
        pcm = recording.pcm.copy()
        pcm.setflags(write=False)
        transcribed(transcriber, pcm, options=options)
        assert np.array_equal(pcm, recording.pcm)
