"""Every engine live, on the weights that are at hand: the same behaviour of all."""

from pathlib import Path

import numpy as np
import pytest
from engine_conformance import Recording, silence
from fixtures.flite_sentences import SENTENCES, recorded
from fixtures.vosk_weights import COUNTING, install_vosk
from fixtures.whisper_phrases import recorded_phrases
from fixtures.whisper_weights import install_faster_whisper, install_whisper
from plugins.parloir_scripted import ScriptedEngine
from sounds import tone
from streaming_conformance import StreamingConformance, listened, said_twice, text_of, utterances

from app.engines.base import Hardware
from app.engines.faster_whisper import FasterWhisperEngine
from app.engines.pocketsphinx import PocketsphinxEngine
from app.engines.registry import Choice
from app.engines.streaming import StreamOptions
from app.engines.streaming_models import open_streaming_model
from app.engines.vosk import VoskEngine
from app.engines.whisper import WhisperEngine


def opened(engine):
    return open_streaming_model(next(Choice(engine, model) for model in engine.models() if model.is_here), Hardware())


def phrase(name):
    spoken, pcm = recorded_phrases()[name]
    return Recording(pcm, spoken.text, spoken.language)


class TestScripted(StreamingConformance):
    @pytest.fixture(scope="class")
    @classmethod
    def model(cls):
        return opened(ScriptedEngine(Path()))

    @pytest.fixture(scope="class")
    @classmethod
    def recording(cls):
        return Recording(np.concatenate([tone(0.2), silence(0.1), tone(0.3, hz=600), silence(0.2)]), "440 600")


class TestPocketsphinx(StreamingConformance):
    max_wer = 0.2

    @pytest.fixture(scope="class")
    @classmethod
    def model(cls):
        return opened(PocketsphinxEngine(Path()))

    @pytest.fixture(scope="class")
    @classmethod
    def recording(cls):
        return Recording(recorded("meeting"), SENTENCES["meeting"])


class TestVosk(StreamingConformance):
    @pytest.fixture(scope="class")
    @classmethod
    def model(cls, tmp_path_factory):
        folder = tmp_path_factory.mktemp("weights")
        install_vosk(folder)
        return opened(VoskEngine(folder))

    @pytest.fixture(scope="class")
    @classmethod
    def recording(cls):
        return Recording(COUNTING.read(), COUNTING.text)

    def test_readings_are_told_if_they_are_wanted(self, model, recording):
        heard = listened(model, said_twice(recording), StreamOptions(max_alternatives=3))
        for utterance in utterances(heard):
            assert 1 <= len(utterance.alternatives) <= 3
            assert utterance.alternatives[0][0] == utterance.segment.text


@pytest.mark.long
class TestWhisper(StreamingConformance):
    @pytest.fixture(scope="class")
    @classmethod
    def model(cls, tmp_path_factory):
        folder = tmp_path_factory.mktemp("weights")
        install_whisper(folder)
        return opened(WhisperEngine(folder))

    @pytest.fixture(scope="class")
    @classmethod
    def recording(cls):
        return phrase("alice")


class TestFasterWhisper(StreamingConformance):
    @pytest.fixture(scope="class")
    @classmethod
    def model(cls, tmp_path_factory):
        folder = tmp_path_factory.mktemp("weights")
        install_faster_whisper(folder)
        return opened(FasterWhisperEngine(folder))

    @pytest.fixture(scope="class")
    @classmethod
    def recording(cls):
        return phrase("alice")

    def test_a_language_that_was_not_asked_for_is_heard(self, model):
        recording = phrase("bonjour")
        assert text_of(listened(model, said_twice(recording))) != ""
