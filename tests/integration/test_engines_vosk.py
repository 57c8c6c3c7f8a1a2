"""Vosk on a model of ten words that this project makes itself."""

from pathlib import Path

import numpy as np
import pytest
from engine_conformance import Recording, TranscriberConformance, silence, text_of, transcribed
from fixtures.vosk_weights import BACKWARDS, COUNTING, MODEL, RECORDINGS, install_vosk

from app.audio.sound import RATE_HZ
from app.domain.errors import EngineUnavailable
from app.engines.base import Hardware, ModelInfo
from app.engines.vosk import VoskEngine


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    weights_dir = tmp_path_factory.mktemp("weights")
    install_vosk(weights_dir)
    return VoskEngine(weights_dir)


@pytest.fixture(scope="module")
def transcriber(engine):
    [model] = [model for model in engine.models() if model.is_here]
    return engine.load(model, Hardware())


class TestVosk(TranscriberConformance):
    @pytest.fixture
    def recording(self):
        return Recording(COUNTING.read(), COUNTING.text)


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda one: one.name)
def test_known_words_are_understood(transcriber, recording):
    assert text_of(transcribed(transcriber, recording.read())) == recording.text


def test_the_language_is_told_by_the_name_of_the_model(engine, transcriber):
    [model] = [model for model in engine.models() if model.is_here]
    assert model.name == MODEL
    assert model.languages == ("en",)
    assert transcriber.language == "en"


def test_segments_come_as_soon_as_the_speaker_pauses(transcriber):
    pcm = np.concatenate([COUNTING.read(), silence(2.0), BACKWARDS.read(), silence(0.5)])
    told = transcribed(transcriber, pcm)
    assert [segment.text for segment in told] == [COUNTING.text, BACKWARDS.text]
    assert told[1].start_s == pytest.approx(len(COUNTING.read()) / RATE_HZ + 2.0, abs=0.3)


def test_words_follow_each_other_and_last_a_while(transcriber):
    [segment] = transcribed(transcriber, COUNTING.read())
    assert len(segment.words) == 5
    assert all(0.05 < word.end_s - word.start_s < 1.0 for word in segment.words)


def test_a_model_that_is_not_here_cannot_be_loaded(engine):
    with pytest.raises(EngineUnavailable):
        engine.load(ModelInfo("vosk-model-small-fr-0.22", ("fr",)), Hardware())


def test_a_damaged_model_is_refused_and_its_path_not_told(tmp_path):
    folder = install_vosk(tmp_path)
    (folder / "graph" / "HCLG.fst").unlink()
    engine = VoskEngine(tmp_path)
    [model] = [model for model in engine.models() if model.is_here]
    with pytest.raises(EngineUnavailable) as refused:
        engine.load(model, Hardware())
    assert MODEL in refused.value.message
    assert str(tmp_path) not in refused.value.message


def test_a_folder_without_a_model_is_not_taken_for_one(tmp_path):
    Path(tmp_path, "vosk", "vosk-model-small-de-0.15").mkdir(parents=True)
    assert not [model for model in VoskEngine(tmp_path).models() if model.is_here]
