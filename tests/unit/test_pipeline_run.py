"""Recordings of beeps through the whole pipeline: real files, real decoding, an engine that hears beeps."""

import json
import struct
import threading
import tracemalloc
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import psutil
import pytest

from app.audio.sound import RATE_HZ, Pcm, Span
from app.domain.errors import Cancelled, EngineError, InvalidFields, MediaEmpty, NotAudio
from app.domain.job import JobOptions
from app.domain.transcript import Segment, Transcript, Word
from app.engines.base import EngineOptions, Hardware, ModelInfo
from app.services.transcription.checkpoint import Checkpoint, PartResult
from tests.fakes import BeepEngine, BeepTranscriber, beeps, quiet
from tests.pipelines import Watcher, pipeline_of, write_wav

LINES = ("do re mi", "fa sol la", "mi re do", "sol sol fa", "la do", "re mi fa sol")


@pytest.fixture
def engine() -> BeepEngine:
    return BeepEngine()


@pytest.fixture
def song(tmp_path: Path) -> Path:
    """Six lines with three seconds of silence around each: 30 s."""
    pieces = [piece for line in LINES for piece in (quiet(3.0), beeps(line))]
    return write_wav(tmp_path / "song.wav", *pieces, quiet(3.0))


def text_of(transcript: Transcript) -> str:
    return transcript.text


def kept_and_read_again(parts: Sequence[PartResult]) -> Checkpoint:
    return Checkpoint(tuple(PartResult.from_dict(json.loads(json.dumps(part.to_dict()))) for part in parts))


def test_words_are_heard_at_their_times(engine: BeepEngine, tmp_path: Path) -> None:
    audio = write_wav(tmp_path / "a.wav", quiet(1.0), beeps("do re"), quiet(2.0), beeps("mi"), quiet(1.0))
    heard = pipeline_of(engine).run(audio, JobOptions(), Watcher())
    assert [segment.text for segment in heard.segments] == ["do re", "mi"]
    starts_s = [word.start_s for segment in heard.segments for word in segment.words]
    assert starts_s == pytest.approx([1.0, 1.6, 4.0], abs=0.03)
    assert (heard.engine, heard.model, heard.language) == ("beep", "v1", "en")
    assert heard.duration_s == pytest.approx(5.4, abs=0.001)


def test_silence_completes_with_an_empty_transcript_and_loads_no_model(engine: BeepEngine, tmp_path: Path) -> None:
    watcher = Watcher()
    heard = pipeline_of(engine).run(write_wav(tmp_path / "a.wav", quiet(5.0)), JobOptions(), watcher)
    assert heard.segments == ()
    assert heard.warnings == ("audio_silent",)
    assert engine.n_loads == 0
    assert watcher.durations == [5.0]


def test_segments_are_told_as_they_come_with_the_ids_they_keep(engine: BeepEngine, song: Path) -> None:
    watcher = Watcher()
    heard = pipeline_of(engine, part_s=10.0, first_part_s=6.0).run(song, JobOptions(), watcher)
    assert tuple(watcher.segments) == heard.segments
    assert [segment.id for segment in heard.segments] == list(range(len(LINES)))


def test_a_recording_cut_into_parts_loses_and_doubles_nothing(engine: BeepEngine, song: Path) -> None:
    watcher = Watcher()
    heard = pipeline_of(engine, part_s=8.0, first_part_s=5.0).run(song, JobOptions(), watcher)
    whole = pipeline_of(BeepEngine()).run(song, JobOptions(), Watcher())
    assert text_of(heard) == text_of(whole) == " ".join(LINES)
    assert [s.start_s for s in heard.segments] == pytest.approx([s.start_s for s in whole.segments], abs=0.02)
    assert len(watcher.parts) > 2
    bounds = [0, *(part.end_sample for part in watcher.parts)]
    assert [part.start_sample for part in watcher.parts] == bounds[:-1]
    assert bounds[-1] == round(heard.duration_s * RATE_HZ)
    assert [part.index for part in watcher.parts] == list(range(len(watcher.parts)))


def test_the_first_part_is_short(engine: BeepEngine, song: Path) -> None:
    watcher = Watcher()
    pipeline_of(engine, part_s=20.0, first_part_s=5.0).run(song, JobOptions(), watcher)
    assert watcher.parts[0].end_sample <= 5.0 * 1.4 * RATE_HZ


@pytest.mark.parametrize("n_done", [1, 2, 3])
def test_a_resumed_run_gives_the_same_transcript_and_decodes_only_the_rest(
    engine: BeepEngine, song: Path, n_done: int
) -> None:
    watcher, later = Watcher(), Watcher()
    undisturbed = pipeline_of(BeepEngine(), part_s=8.0, first_part_s=5.0).run(song, JobOptions(), watcher)
    done = kept_and_read_again(watcher.parts[:n_done])
    resumed = pipeline_of(engine, part_s=8.0, first_part_s=5.0).run(song, JobOptions(), later, done)
    assert resumed == undisturbed
    assert later.parts == watcher.parts[n_done:]
    rest_s = undisturbed.duration_s - done.end_sample / RATE_HZ
    assert 0 < engine.transcriber.heard_s < rest_s


def test_a_run_resumed_after_its_last_part_decodes_nothing(engine: BeepEngine, song: Path) -> None:
    watcher = Watcher()
    undisturbed = pipeline_of(BeepEngine()).run(song, JobOptions(), watcher)
    assert pipeline_of(engine).run(song, JobOptions(), Watcher(), Checkpoint(tuple(watcher.parts))) == undisturbed
    assert engine.n_loads == 0


def test_the_outline_is_of_the_whole_recording_also_when_a_run_is_resumed(engine: BeepEngine, song: Path) -> None:
    first, second = Watcher(), Watcher()
    pipeline = pipeline_of(engine, part_s=8.0, first_part_s=8.0)
    heard = pipeline.run(song, JobOptions(), first)
    pipeline.run(song, JobOptions(), second, kept_and_read_again(first.parts[:2]))
    (outline,) = first.outlines
    assert outline == second.outlines[0]
    assert outline.n_buckets * outline.bucket_s == pytest.approx(heard.duration_s, abs=outline.bucket_s)
    assert outline.pairs[:200] == bytes(200)
    assert max(outline.pairs) > 0


def test_times_are_those_of_the_original_when_silence_is_left_out(engine: BeepEngine, song: Path) -> None:
    trimmed = pipeline_of(engine, part_s=12.0).run(song, JobOptions(trim_silence=True), Watcher())
    whole = pipeline_of(BeepEngine(), part_s=12.0).run(song, JobOptions(), Watcher())
    assert text_of(trimmed) == text_of(whole)
    words = [[word.start_s for s in heard.segments for word in s.words] for heard in (trimmed, whole)]
    assert words[0] == pytest.approx(words[1], abs=0.02)
    assert max(span.end for span in engine.transcriber.heard) < 18 * RATE_HZ


def test_a_cancelled_run_stops_at_the_next_segment(engine: BeepEngine, song: Path) -> None:
    pipeline = pipeline_of(engine)
    watcher = Watcher(cancel_after=2)
    with pytest.raises(Cancelled):
        pipeline.run(song, JobOptions(), watcher)
    assert len(engine.transcriber.heard) == 2
    assert [thread.name for thread in threading.enumerate() if thread.name == "read-ahead"] == []
    assert not any("app.audio.decoder" in process.cmdline() for process in psutil.Process().children())


@pytest.mark.parametrize(("is_trimmed", "n_heard"), [(False, 3), (True, 2)])
def test_what_a_run_has_done_of_a_part_when_it_is_stopped_is_not_done_again(
    engine: BeepEngine, song: Path, is_trimmed: bool, n_heard: int
) -> None:
    options = JobOptions(trim_silence=is_trimmed)
    undisturbed = pipeline_of(BeepEngine()).run(song, options, Watcher())
    stopped = Watcher(cancel_after=n_heard)
    with pytest.raises(Cancelled):
        pipeline_of(BeepEngine()).run(song, options, stopped)
    done = kept_and_read_again(stopped.parts)
    resumed = pipeline_of(engine).run(song, options, Watcher(), done)
    assert text_of(resumed) == text_of(undisturbed)
    assert sum(len(part.segments) for part in done.parts) == n_heard - 1, "the last was being heard"
    assert engine.transcriber.heard_s < undisturbed.duration_s - done.end_sample / RATE_HZ


def test_parts_after_one_that_could_not_be_kept_are_done_again() -> None:
    parts = [PartResult(0, 0, 100), PartResult(1, 100, 200), PartResult(3, 300, 400)]
    assert Checkpoint.of(parts).end_sample == 200
    assert Checkpoint.of(parts[1:]).parts == ()


def test_a_run_after_a_cancelled_one_is_whole_and_loads_nothing_again(engine: BeepEngine, song: Path) -> None:
    pipeline = pipeline_of(engine)
    with pytest.raises(Cancelled):
        pipeline.run(song, JobOptions(), Watcher(cancel_after=1))
    assert text_of(pipeline.run(song, JobOptions(), Watcher())) == " ".join(LINES)
    assert engine.n_loads == 1


def test_the_language_is_found_once_and_kept_for_the_whole_recording(engine: BeepEngine, tmp_path: Path) -> None:
    audio = write_wav(tmp_path / "a.wav", *[beeps("ut ton ut ton ut"), quiet(3.0), beeps("do re"), quiet(3.0)] * 3)
    watcher = Watcher()
    heard = pipeline_of(engine, part_s=10.0, first_part_s=5.0).run(audio, JobOptions(), watcher)
    assert heard.language == "fr"
    assert engine.transcriber.n_detections == 1
    assert {options.language for options in engine.transcriber.asked} == {"fr"}
    assert {part.language for part in watcher.parts} == {"fr"}


def test_a_resumed_run_keeps_the_language_that_was_found(engine: BeepEngine, song: Path) -> None:
    done = Checkpoint((PartResult(0, 0, 5 * RATE_HZ, (), "fr"),))
    assert pipeline_of(engine).run(song, JobOptions(), Watcher(), done).language == "fr"
    assert engine.transcriber.n_detections == 0


def test_a_language_that_is_given_is_not_looked_for(engine: BeepEngine, song: Path) -> None:
    assert pipeline_of(engine).run(song, JobOptions(language="de"), Watcher()).language == "de"
    assert engine.transcriber.n_detections == 0


def test_a_short_sound_does_not_decide_the_language(engine: BeepEngine, tmp_path: Path) -> None:
    audio = write_wav(tmp_path / "a.wav", beeps("ut"), quiet(9.0), beeps("do re mi fa sol la do"), quiet(2.0))
    assert pipeline_of(engine, part_s=8.0, first_part_s=4.0).run(audio, JobOptions(), Watcher()).language == "en"


def test_the_engine_is_asked_for_what_the_job_asks(engine: BeepEngine, song: Path) -> None:
    options = JobOptions(language="en", prompt="music", hotwords=("do",), word_timestamps=False)
    heard = pipeline_of(engine).run(song, options, Watcher())
    assert engine.transcriber.asked[0] == EngineOptions("en", "transcribe", "music", ("do",), False)
    assert all(segment.words == () for segment in heard.segments)


def test_progress_never_goes_back_and_leaves_the_end_to_the_job(engine: BeepEngine, song: Path) -> None:
    watcher = Watcher()
    pipeline_of(engine, part_s=8.0, first_part_s=5.0).run(song, JobOptions(), watcher)
    assert watcher.fractions == sorted(watcher.fractions)
    assert len(set(watcher.fractions)) > len(LINES)
    assert 0 < watcher.fractions[0] < 0.5
    assert 0.9 < watcher.fractions[-1] <= 0.99


def test_a_length_that_the_header_made_up_is_corrected(engine: BeepEngine, song: Path) -> None:
    content = bytearray(song.read_bytes())
    content[40:44] = struct.pack("<I", 2 * RATE_HZ * 600)
    song.write_bytes(content)
    watcher = Watcher()
    heard = pipeline_of(engine).run(song, JobOptions(), watcher)
    assert watcher.durations[0] == pytest.approx(600, abs=1)
    assert watcher.durations[-1] == heard.duration_s == pytest.approx(30, abs=2)
    assert "audio_truncated" in heard.warnings


def test_weights_stay_loaded_for_the_next_recording(engine: BeepEngine, song: Path) -> None:
    pipeline = pipeline_of(engine)
    for _ in range(2):
        pipeline.run(song, JobOptions(), Watcher())
    assert engine.n_loads == 1


@pytest.mark.parametrize(("n_warm_models", "n_loads"), [(1, 3), (2, 2)])
def test_only_so_many_models_stay_loaded(engine: BeepEngine, song: Path, n_warm_models: int, n_loads: int) -> None:
    pipeline = pipeline_of(engine, n_warm_models=n_warm_models)
    for model in ("v1", "v2", "v1"):
        pipeline.run(song, JobOptions(model=model), Watcher())
    assert engine.n_loads == n_loads


class FailingTranscriber(BeepTranscriber):
    """Breaks down after the first segment."""

    def transcribe(self, pcm: Pcm, spans: Sequence[Span], options: EngineOptions) -> Iterator[Segment]:
        yield from super().transcribe(pcm, spans[:1], options)
        raise EngineError(reason="broken")


class FailingOnce(BeepEngine):
    name: ClassVar[str] = "failing"

    def load(self, model: ModelInfo, hardware: Hardware) -> BeepTranscriber:
        loaded = super().load(model, hardware)
        return FailingTranscriber() if self.n_loads == 1 else loaded


def test_weights_that_failed_are_loaded_anew(song: Path) -> None:
    engine = FailingOnce()
    pipeline = pipeline_of(engine)
    with pytest.raises(EngineError):
        pipeline.run(song, JobOptions(), Watcher())
    assert text_of(pipeline.run(song, JobOptions(), Watcher())) == " ".join(LINES)
    assert engine.n_loads == 2


class DreamingTranscriber(BeepTranscriber):
    """Makes up words after each line, as nets do in silence."""

    def transcribe(self, pcm: Pcm, spans: Sequence[Span], options: EngineOptions) -> Iterator[Segment]:
        for segment in super().transcribe(pcm, spans, options):
            yield segment
            start_s = segment.end_s + 1.5
            yield Segment(0, start_s, start_s + 1, "thanks", words=(Word("thanks", start_s, start_s + 1),))


class DreamingEngine(BeepEngine):
    name: ClassVar[str] = "dreaming"

    def load(self, model: ModelInfo, hardware: Hardware) -> BeepTranscriber:
        return DreamingTranscriber()


def test_words_made_up_in_silence_are_left_out(song: Path) -> None:
    assert text_of(pipeline_of(DreamingEngine()).run(song, JobOptions(), Watcher())) == " ".join(LINES)


def test_a_file_that_is_no_recording_is_refused_and_the_weights_are_kept(
    engine: BeepEngine, song: Path, tmp_path: Path
) -> None:
    pipeline = pipeline_of(engine)
    pipeline.run(song, JobOptions(), Watcher())
    text = tmp_path / "a.wav"
    text.write_text("no sound at all")
    with pytest.raises(NotAudio):
        pipeline.run(text, JobOptions(), Watcher())
    with pytest.raises(MediaEmpty):
        pipeline.run(write_wav(tmp_path / "b.wav", quiet(0.01)), JobOptions(), Watcher())
    pipeline.run(song, JobOptions(), Watcher())
    assert engine.n_loads == 1


def test_an_engine_that_is_not_there_is_refused_by_name(engine: BeepEngine, song: Path) -> None:
    with pytest.raises(InvalidFields) as caught:
        pipeline_of(engine).run(song, JobOptions(engine="nobody"), Watcher())
    assert "nobody" in caught.value.errors["engine"][0]


def test_memory_does_not_grow_with_the_recording(engine: BeepEngine, tmp_path: Path) -> None:
    audio = write_wav(tmp_path / "long.wav", *[beeps("do re"), quiet(29.0)] * 20)
    pipeline = pipeline_of(engine, part_s=15.0, first_part_s=15.0)
    tracemalloc.start()
    try:
        heard = pipeline.run(audio, JobOptions(language="en"), Watcher())
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    whole_bytes = heard.duration_s * RATE_HZ * 4
    assert len(heard.segments) == 20
    assert peak_bytes < whole_bytes / 4
