"""One transcription from its first part to its transcript."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from app.audio.parts import Part
from app.audio.sound import RATE_HZ
from app.domain.errors import Cancelled
from app.domain.job import JobOptions
from app.domain.transcript import Segment, Transcript
from app.engines.base import EngineOptions, Transcriber
from app.engines.registry import Choice
from app.services.transcription.checkpoint import Checkpoint, PartResult
from app.services.transcription.language import detected_language
from app.services.transcription.observer import Observer
from app.services.transcription.part_sound import PartSound, part_sound
from app.services.transcription.reading import ReadAhead
from app.services.transcription.tracker import Tracker


class Run:
    """What one run has found so far. `load` gives the transcriber; it is called when there is speech to decode."""

    def __init__(
        self, choice: Choice, options: JobOptions, load: Callable[[], Transcriber], observer: Observer, done: Checkpoint
    ) -> None:
        self._choice = choice
        self._options = options
        self._load = load
        self._observer = observer
        self._language = options.language or done.language
        self._segments = [segment for part in done.parts for segment in part.segments]
        self._heard_until = 0

    def hear(self, reading: ReadAhead, hop: int) -> Transcript:
        """Transcribe all parts that are read; `hop` is the samples that one of their probabilities stands for.

        Raises:
            Cancelled: the observer asked for it.
            EngineError: the engine failed.
            NotAudio, MediaError, ChildDied: the recording cannot be read.
        """
        tracker = Tracker(self._observer)
        for part in reading.parts(self._observer.cancelled):
            tracker.read(reading.declared_s, part.end / RATE_HZ)
            self._hear_part(part, hop, tracker)
        tracker.ended(reading.n_samples / RATE_HZ)
        if reading.peaks:
            self._observer.drawn(reading.peaks)
        return self._transcript(reading)

    def _hear_part(self, part: Part, hop: int, tracker: Tracker) -> None:
        sound = part_sound(part, self._choice.engine.capabilities.spans, hop, is_trimmed=self._options.trim_silence)
        n_before = len(self._segments)
        try:
            self._hear_spans(sound, tracker, is_last=part.is_last)
        except Cancelled:
            self._keep_whole_spans(part, sound, n_before)
            raise
        found = tuple(self._segments[n_before:])
        self._observer.part_done(PartResult(part.index, part.start, part.end, found, self._language))
        tracker.done(part.end / RATE_HZ)

    def _hear_spans(self, sound: PartSound, tracker: Tracker, *, is_last: bool) -> None:
        self._heard_until = 0
        if not sound.spans:
            return
        for segment in self._heard(sound, is_last=is_last):
            self._segments.append(replace(segment, id=len(self._segments)))
            self._observer.segment(self._segments[-1])
            tracker.done(segment.end_s)

    def _keep_whole_spans(self, part: Part, sound: PartSound, n_before: int) -> None:
        """Of a part that is left in the middle, the spans before the one being heard are done: a part of their own."""
        whole = [span for span in sound.spans if span.end <= self._heard_until]
        if not whole:
            return
        end = sound.original_sample(whole[-1].end)
        found = tuple(segment for segment in self._segments[n_before:] if segment.start_s < end / RATE_HZ)
        self._observer.part_done(PartResult(part.index, part.start, end, found, self._language))

    def _heard(self, sound: PartSound, *, is_last: bool) -> Iterator[Segment]:
        transcriber = self._load()
        self._find_language(transcriber, sound, is_last=is_last)
        for segment in transcriber.transcribe(sound.pcm, sound.spans, self._engine_options()):
            # Engines tell what they hear in order of time, so the spans before this segment are done.
            self._heard_until = round(segment.start_s * RATE_HZ)
            placed = sound.placed(segment)
            if placed is not None:
                yield placed
            self._stop_if_cancelled()

    def _find_language(self, transcriber: Transcriber, sound: PartSound, *, is_last: bool) -> None:
        self._stop_if_cancelled()
        if self._language is None:
            self._language = transcriber.language
        if self._language is None and self._choice.engine.capabilities.detects_language:
            self._language = detected_language(transcriber, sound.pcm, sound.spans, is_last=is_last)

    def _engine_options(self) -> EngineOptions:
        return EngineOptions(
            language=self._language,
            task=self._options.task,
            prompt=self._options.prompt,
            hotwords=self._options.hotwords,
            word_timestamps=self._options.word_timestamps,
        )

    def _stop_if_cancelled(self) -> None:
        if self._observer.cancelled():
            raise Cancelled

    def _transcript(self, reading: ReadAhead) -> Transcript:
        return Transcript(
            segments=tuple(self._segments),
            language=self._language,
            duration_s=reading.n_samples / RATE_HZ,
            engine=self._choice.engine.name,
            model=self._choice.model.name,
            warnings=reading.warnings,
        )
