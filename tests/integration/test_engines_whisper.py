"""Both Whisper engines on a real, tiny net: the real libraries, from weights on disk to segments."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from engine_conformance import (
    Recording,
    TranscriberConformance,
    assert_says,
    assert_within,
    plain,
    silence,
    text_of,
    transcribed,
    twice,
)
from fixtures.whisper_phrases import recorded_phrases
from fixtures.whisper_weights import MODEL, install_faster_whisper, install_whisper

from app.audio.sound import RATE_HZ, Span
from app.domain.errors import EngineUnavailable
from app.engines.base import EngineOptions, Hardware, ModelInfo
from app.engines.faster_whisper import CTranslateNet, FasterWhisperEngine
from app.engines.language import LARGE_V3_LANGUAGES
from app.engines.whisper import WhisperEngine
from app.engines.whisper_transcriber import WhisperTranscriber

ENGINES = {"whisper": (WhisperEngine, install_whisper), "faster-whisper": (FasterWhisperEngine, install_faster_whisper)}
NAMES = [name for name, (phrase, _) in recorded_phrases().items() if phrase.language == "en"]

BATCH_SIZE = 3
LONG_PAUSE_S = 26.9
"""After the phrase "fox" it brings what follows into the second window; this net wants little silence before it."""


@pytest.fixture(scope="session")
def weights_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    for _, install in ENGINES.values():
        install(folder)
    return folder


@pytest.fixture(scope="session")
def recordings():
    return {name: Recording(pcm, phrase.text, phrase.language) for name, (phrase, pcm) in recorded_phrases().items()}


@pytest.fixture(scope="session")
def loaded(weights_dir):
    return {
        name: engine(weights_dir).load(here(engine(weights_dir)), Hardware()) for name, (engine, _) in ENGINES.items()
    }


@pytest.fixture(scope="session")
def batching(weights_dir):
    from faster_whisper import WhisperModel

    path = here(FasterWhisperEngine(weights_dir)).path
    model = WhisperModel(str(path), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True)
    return WhisperTranscriber("faster-whisper", MODEL, CTranslateNet(model, batch_size=BATCH_SIZE))


@pytest.fixture(params=ENGINES)
def transcriber(request, loaded):
    return loaded[request.param]


@pytest.fixture(params=ENGINES)
def engine(request, weights_dir):
    return ENGINES[request.param][0](weights_dir)


@pytest.fixture(params=["alice", "bonjour"])
def recording(request, recordings):
    return recordings[request.param]


def here(engine):
    """The model of an engine that is on this machine."""
    return next(model for model in engine.models() if model.is_here)


class TestTheWhisperEngines(TranscriberConformance):
    @pytest.mark.parametrize("name", NAMES)
    def test_every_recorded_phrase_is_heard_exactly(self, transcriber, recordings, name):
        segments = transcribed(transcriber, recordings[name].pcm)
        assert [segment.text for segment in segments] == [recordings[name].text]
        assert segments[0].confidence > 0.6

    def test_words_are_timed_where_they_are_spoken(self, transcriber, recordings):
        (segment,) = transcribed(transcriber, recordings["alice"].pcm)
        third = segment.end_s / 3
        times = {word.word: (word.start_s + word.end_s) / 2 for word in segment.words}
        assert times["name"] < third < times["Alice"] < 2 * third < times["Boston."]

    def test_the_language_is_detected(self, transcriber, recordings):
        assert transcriber.language is None
        assert transcriber.detect_language(recordings["bonjour"].pcm) == "fr"
        assert transcriber.detect_language(recordings["welcome"].pcm) == "en"

    def test_no_sound_has_no_language(self, transcriber):
        assert transcriber.detect_language(silence(0)) is None

    def test_the_language_of_next_to_nothing_is_a_guess_but_no_failure(self, transcriber):
        assert transcriber.detect_language(silence(0.001)) in LARGE_V3_LANGUAGES

    def test_a_language_not_asked_for_is_judged_by_what_lies_in_the_spans(self, transcriber, recordings):
        english, french = recordings["welcome"].pcm, recordings["bonjour"].pcm
        pcm = np.concatenate([english, english, silence(2), french])
        assert transcriber.detect_language(pcm) == "en"
        # Only what was judged to be French is translated.
        spans = [Span(len(pcm) - len(french), len(pcm))]
        segments = transcribed(transcriber, pcm, spans, EngineOptions(task="translate"))
        assert_says(recordings["welcome"], segments)

    def test_a_region_in_the_language_tag_does_not_matter(self, transcriber, recordings):
        segments = transcribed(transcriber, recordings["bonjour"].pcm, options=EngineOptions(language="fr-CA"))
        assert_says(recordings["bonjour"], segments)

    def test_french_is_translated_into_english(self, transcriber, recordings):
        options = EngineOptions(language="fr", task="translate")
        segments = transcribed(transcriber, recordings["bonjour"].pcm, options=options)
        assert [segment.text for segment in segments] == ["Hello, and welcome to the meeting."]
        assert_within(recordings["bonjour"].span, segments)

    def test_english_is_left_as_it_is_when_a_translation_is_asked_for(self, transcriber, recordings):
        segments = transcribed(transcriber, recordings["fox"].pcm, options=EngineOptions(task="translate"))
        assert_says(recordings["fox"], segments)

    @pytest.mark.parametrize(
        "asked", [{"prompt": "We met Alys, Kowalski and Zebra."}, {"hotwords": ("Alys",)}], ids=["prompt", "hotwords"]
    )
    def test_a_name_is_written_as_the_client_spells_it(self, transcriber, recordings, asked):
        plainly = EngineOptions(language="en")
        assert "Alice" in transcribed(transcriber, recordings["alice"].pcm, options=plainly)[0].text
        told = transcribed(transcriber, recordings["alice"].pcm, options=replace(plainly, **asked))
        assert [segment.text for segment in told] == ["My name is Alys and I work in Boston."]

    def test_hotwords_hold_in_every_span(self, transcriber, recordings):
        pcm, spans = twice(recordings["alice"])
        segments = transcribed(transcriber, pcm, spans, EngineOptions(language="en", hotwords=("Alys",)))
        assert [("Alys" in segment.text) for segment in segments] == [True, True]

    def test_more_context_than_fits_is_no_failure(self, transcriber, recordings):
        # What is said then is not asked: this net has never seen so long a context, only that it does not break.
        words = tuple(f"Kowalski{i}" for i in range(300))
        options = EngineOptions(language="en", prompt="The weather was sunny. " * 400, hotwords=words)
        assert_within(recordings["fox"].span, transcribed(transcriber, recordings["fox"].pcm, options=options))

    @pytest.mark.parametrize("level", [0.001, 0.01])
    def test_nobody_speaks_in_noise(self, transcriber, level):
        noise = np.random.default_rng(1).normal(0, level, 4 * RATE_HZ).astype(np.float32)
        assert transcribed(transcriber, noise) == []

    def test_a_span_longer_than_a_window_is_heard_to_its_end(self, transcriber, recordings):
        fox, welcome = recordings["fox"], recordings["welcome"]
        pcm = np.concatenate([fox.pcm, silence(LONG_PAUSE_S), welcome.pcm, silence(0.4)])
        segments = transcribed(transcriber, pcm, options=EngineOptions(language="en"))
        assert plain(fox.text) in text_of(segments)
        assert plain(welcome.text) in text_of(segments)
        assert_within(Span(0, len(pcm)), segments)

    def test_spans_that_reach_beyond_the_sound_are_cut_to_it(self, transcriber, recordings):
        fox = recordings["fox"]
        segments = transcribed(transcriber, fox.pcm, [Span(0, len(fox.pcm) + 99_999)])
        assert_says(fox, segments)
        assert_within(fox.span, segments)

    def test_an_unknown_language_is_refused(self, transcriber, recordings):
        with pytest.raises(EngineUnavailable, match="does not know the language tlh"):
            transcribed(transcriber, recordings["fox"].pcm, options=EngineOptions(language="tlh"))

    def test_cantonese_is_refused_by_weights_made_before_it_was_learnt(self, transcriber, recordings):
        with pytest.raises(EngineUnavailable, match="yue"):
            transcribed(transcriber, recordings["fox"].pcm, options=EngineOptions(language="yue"))


class TestManyClipsAtOnce(TranscriberConformance):
    """The way an accelerator is used, here on the CPU."""

    batch_size = BATCH_SIZE

    @pytest.fixture
    def transcriber(self, batching):
        return batching

    def test_each_clip_gets_its_own_words_and_times(self, transcriber, recordings):
        parts = [recordings[name] for name in ("fox", "welcome", "alice", "goodbye")]
        pcm, spans = _joined(parts, gap_s=0.37)
        segments = transcribed(transcriber, pcm, spans, EngineOptions(language="en"))
        for part, span in zip(parts, spans, strict=True):
            inside = [s for s in segments if span.start / RATE_HZ - 0.01 <= s.start_s < span.end / RATE_HZ]
            assert_says(part, inside)
            assert_within(span, inside)
            assert [word.word for segment in inside for word in segment.words] == part.text.split()

    def test_silence_among_the_clips_says_nothing(self, transcriber, recordings):
        parts = [recordings["fox"], Recording(silence(3), ""), recordings["welcome"]]
        pcm, spans = _joined(parts)
        segments = transcribed(transcriber, pcm, spans, EngineOptions(language="en"))
        assert text_of(segments) == plain(f"{parts[0].text} {parts[2].text}")

    def test_sentences_become_lines_of_their_own(self, transcriber, recordings):
        both = np.concatenate([recordings["welcome"].pcm, recordings["goodbye"].pcm])
        pcm, spans = _joined([Recording(both, ""), recordings["fox"]])
        segments = transcribed(transcriber, pcm, spans, EngineOptions(language="en"))
        assert [s.text for s in segments] == [recordings[n].text for n in ("welcome", "goodbye", "fox")]

    def test_a_clip_longer_than_a_window_is_not_cut_short(self, transcriber, recordings):
        fox, welcome = recordings["fox"], recordings["welcome"]
        long = np.concatenate([fox.pcm, silence(LONG_PAUSE_S), welcome.pcm])
        pcm, spans = _joined([Recording(long, ""), recordings["goodbye"]])
        told = text_of(transcribed(transcriber, pcm, spans, EngineOptions(language="en")))
        assert all(plain(recordings[name].text) in told for name in ("fox", "welcome", "goodbye"))

    def test_a_clip_that_came_out_badly_is_decoded_again_alone(self, transcriber, recordings, monkeypatch):
        monkeypatch.setattr("app.engines.faster_whisper.MAX_COMPRESSION_RATIO", 0.0)
        pcm, spans = twice(recordings["fox"])
        segments = transcribed(transcriber, pcm, spans, EngineOptions(language="en"))
        assert [segment.text for segment in segments] == [recordings["fox"].text] * 2
        assert_within(spans[0], segments[:1])
        assert_within(spans[1], segments[1:])


class TestLoading:
    def test_weights_that_are_here_are_listed_with_their_path(self, engine):
        model = here(engine)
        assert (model.name, model.path.exists()) == (MODEL, True)
        assert {"en", "fr"} <= set(model.languages)

    def test_weights_that_are_not_here_are_refused(self, engine):
        model = next(model for model in engine.models() if model.name == "tiny")
        with pytest.raises(EngineUnavailable, match="weights of tiny are not on this machine"):
            engine.load(model, Hardware())

    def test_weights_that_went_away_since_are_refused(self, engine, tmp_path):
        with pytest.raises(EngineUnavailable, match="not on this machine"):
            engine.load(ModelInfo("base", path=tmp_path / "gone"), Hardware())

    @pytest.mark.parametrize("damage", ["cut", "noise", "empty_archive"])
    def test_damaged_weights_are_refused_without_a_path_in_the_message(self, engine, tmp_path, damage):
        copy = _copied(here(engine).path, tmp_path)
        _damage(copy if copy.is_file() else copy / "model.bin", damage)
        with pytest.raises(EngineUnavailable, match=f"weights of {MODEL} are damaged") as caught:
            engine.load(ModelInfo(MODEL, path=copy), Hardware())
        assert "/" not in caught.value.message

    def test_a_damaged_tokenizer_is_refused(self, weights_dir, tmp_path):
        engine = FasterWhisperEngine(weights_dir)
        copy = _copied(here(engine).path, tmp_path)
        (copy / "tokenizer.json").write_text("{")
        with pytest.raises(EngineUnavailable, match="damaged"):
            engine.load(ModelInfo(MODEL, path=copy), Hardware())

    def test_a_wrong_number_of_mel_bands_is_refused(self, weights_dir, tmp_path):
        engine = FasterWhisperEngine(weights_dir)
        copy = _copied(here(engine).path, tmp_path)
        (copy / "preprocessor_config.json").write_text('{"feature_size": 128}')
        with pytest.raises(EngineUnavailable, match="another kind"):
            engine.load(ModelInfo(MODEL, path=copy), Hardware())

    def test_no_code_in_a_checkpoint_is_run(self, weights_dir, tmp_path):
        import torch

        victim = tmp_path / "written"
        hostile = tmp_path / "hostile.pt"
        torch.save({"dims": _Hostile(victim), "model_state_dict": {}}, hostile)
        with pytest.raises(EngineUnavailable):
            WhisperEngine(weights_dir).load(ModelInfo("hostile", path=hostile), Hardware())
        assert not victim.exists()

    def test_weights_under_an_official_name_but_of_another_shape_still_work(self, tmp_path, recordings):
        install_whisper(tmp_path, "base")
        transcriber = WhisperEngine(tmp_path).load(here(WhisperEngine(tmp_path)), Hardware())
        assert_says(recordings["fox"], transcribed(transcriber, recordings["fox"].pcm))

    def test_a_machine_without_cuda_runs_whisper_on_the_cpu(self, weights_dir, recordings):
        torch = pytest.importorskip("torch")
        if torch.cuda.is_available():
            pytest.skip("this machine has a CUDA device")
        engine = WhisperEngine(weights_dir)
        transcriber = engine.load(here(engine), Hardware("cuda", "float16"))
        assert_says(recordings["fox"], transcribed(transcriber, recordings["fox"].pcm))

    def test_a_turbo_model_refuses_to_translate(self, engine, recordings):
        transcriber = engine.load(replace(here(engine), name="large-v3-turbo"), Hardware())
        with pytest.raises(EngineUnavailable, match="not trained to translate"):
            transcribed(transcriber, recordings["bonjour"].pcm, options=EngineOptions(language="fr", task="translate"))


@pytest.mark.parametrize("flaw", [np.nan, np.inf, 1e30])
def test_a_few_samples_that_are_no_sound_do_not_spoil_a_span(transcriber, recordings, flaw):
    pcm = recordings["fox"].pcm.copy()
    pcm[20_000:20_003] = flaw
    assert_says(recordings["fox"], transcribed(transcriber, pcm))


def test_our_list_of_languages_is_the_library_s():
    from whisper.tokenizer import LANGUAGES

    assert set(LARGE_V3_LANGUAGES) == set(LANGUAGES)


class _Hostile:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self):
        return Path.write_text, (self._path, "run")


def _joined(parts, gap_s=0.5):
    """Recordings one after the other with silence between, and where each is."""
    blocks, spans, at = [], [], 0
    for part in parts:
        spans.append(Span(at, at + len(part.pcm)))
        blocks += [part.pcm, silence(gap_s)]
        at = spans[-1].end + len(blocks[-1])
    return np.concatenate(blocks), spans


def _copied(path, folder):
    copy = folder / path.name
    return Path((shutil.copytree if path.is_dir() else shutil.copy)(path, copy))


def _damage(path, damage):
    if damage == "cut":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif damage == "noise":
        path.write_bytes(np.random.default_rng(0).bytes(50_000))
    else:
        path.write_bytes(b"PK\x05\x06" + b"\0" * 18)
