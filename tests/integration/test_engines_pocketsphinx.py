"""PocketSphinx with the model in its wheel."""

from pathlib import Path

import numpy as np
import pytest
from engine_conformance import Recording, TranscriberConformance, silence, text_of, transcribed
from fixtures.flite_sentences import SENTENCES, recorded

from app.audio.sound import RATE_HZ
from app.engines.base import EngineOptions, Hardware
from app.engines.pocketsphinx import PocketsphinxEngine


@pytest.fixture(scope="module")
def transcriber():
    engine = PocketsphinxEngine(Path("nowhere"))
    [model] = engine.models()
    return engine.load(model, Hardware())


class TestPocketsphinx(TranscriberConformance):
    @pytest.fixture
    def recording(self):
        return Recording(recorded("meeting"), SENTENCES["meeting"])


@pytest.mark.parametrize("name", SENTENCES)
def test_clean_sentences_are_understood_word_for_word(transcriber, name):
    assert text_of(transcribed(transcriber, recorded(name))) == SENTENCES[name]


def test_the_model_is_here_without_any_download():
    [model] = PocketsphinxEngine(Path("nowhere")).models()
    assert model.is_here
    assert model.languages == ("en",)


def test_the_same_sound_always_gives_the_same_text_whatever_was_heard_before(transcriber):
    hiss = np.random.default_rng(1).normal(0, 0.01, 2 * RATE_HZ).astype(np.float32)
    first = transcribed(transcriber, recorded("garden"))
    transcribed(transcriber, hiss)
    assert transcribed(transcriber, recorded("garden")) == first


def test_a_long_pause_starts_a_new_segment(transcriber):
    pcm = np.concatenate([recorded("meeting"), silence(1.5), recorded("garden")])
    told = transcribed(transcriber, pcm)
    assert [segment.text for segment in told] == [SENTENCES["meeting"], SENTENCES["garden"]]
    assert told[1].start_s >= (len(recorded("meeting")) / RATE_HZ) + 1.0


def test_marks_of_the_decoder_never_reach_the_text(transcriber):
    options = EngineOptions(word_timestamps=True)
    words = [word.word for one in transcribed(transcriber, recorded("train"), options=options) for word in one.words]
    assert words
    assert not [word for word in words if set(word) & set("<>[]+()")]
