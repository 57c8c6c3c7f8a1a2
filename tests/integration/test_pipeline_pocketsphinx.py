"""The demo recordings through the pipeline, with the engine and the voice detector that need no download."""

import re
from pathlib import Path

import pytest
from jiwer import wer

from app.audio.sound import RATE_HZ
from app.domain.job import JobOptions
from app.domain.transcript import Transcript
from app.engines.base import Hardware
from app.engines.pocketsphinx import PocketsphinxEngine
from app.engines.registry import Registry
from app.engines.silero import SileroVad
from app.services.transcription.checkpoint import Checkpoint
from app.services.transcription.limits import PipelineLimits
from app.services.transcription.pipeline import TranscriptionPipeline
from tests.pipelines import Watcher
from tests.sounds import DEMO, demo_lines, demo_text

MARGIN_S = 0.5
"""How far outside a line's reference a word may be put."""


def make_pipeline(part_s: float = 300.0) -> TranscriptionPipeline:
    registry = Registry([PocketsphinxEngine(Path("unused"))])
    limits = PipelineLimits(part_s=part_s, first_part_s=min(part_s, 30.0))
    return TranscriptionPipeline(registry, SileroVad, Hardware(), limits)


@pytest.fixture(scope="module")
def pipeline() -> TranscriptionPipeline:
    return make_pipeline()


def plain(text: str) -> str:
    return " ".join(re.findall(r"[\w']+", text.lower()))


def errors_in(heard: Transcript, recording: str) -> float:
    return float(wer(plain(demo_text(recording)), plain(heard.text)))


def assert_words_lie_in_lines(heard: Transcript, recording: str) -> None:
    lines = demo_lines(recording)
    for word in (word for segment in heard.segments for word in segment.words):
        assert 0 <= word.start_s < word.end_s <= heard.duration_s
        assert any(line.start_s - MARGIN_S <= word.start_s and word.end_s <= line.end_s + MARGIN_S for line in lines)


def test_sentences_are_heard_with_times_inside_them(pipeline: TranscriptionPipeline) -> None:
    heard = pipeline.run(DEMO / "garden.flac", JobOptions(), Watcher())
    assert errors_in(heard, "garden.flac") <= 0.15
    assert_words_lie_in_lines(heard, "garden.flac")
    assert heard.language == "en"
    assert len(heard.segments) == len(demo_lines("garden.flac"))


@pytest.mark.parametrize("is_trimmed", [False, True])
def test_a_long_pause_has_no_words_and_moves_no_times(pipeline: TranscriptionPipeline, is_trimmed: bool) -> None:
    heard = pipeline.run(DEMO / "long-pause.flac", JobOptions(trim_silence=is_trimmed), Watcher())
    assert errors_in(heard, "long-pause.flac") <= 0.15
    assert_words_lie_in_lines(heard, "long-pause.flac")
    assert heard.duration_s == pytest.approx(21.1, abs=0.1)


def test_a_run_resumed_in_the_middle_of_a_dialogue_hears_the_same() -> None:
    watcher, later = Watcher(), Watcher()
    undisturbed = make_pipeline(part_s=9.0).run(DEMO / "meeting.flac", JobOptions(), watcher)
    assert len(watcher.parts) >= 3
    done = Checkpoint(tuple(watcher.parts[:-2]))
    resumed = make_pipeline(part_s=9.0).run(DEMO / "meeting.flac", JobOptions(), later, done)
    assert resumed.text == undisturbed.text
    assert errors_in(resumed, "meeting.flac") <= 0.15
    assert later.parts[0].start_sample == done.end_sample
    assert min(segment.start_s for segment in later.segments) >= done.end_sample / RATE_HZ
