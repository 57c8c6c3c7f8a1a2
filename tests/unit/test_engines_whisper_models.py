"""Which Whisper weights are known, which are here, and what they can do: no ML package involved."""

import subprocess
import sys

import pytest

from app.engines.faster_whisper import FasterWhisperEngine
from app.engines.language import accepted_subtags, primary_subtag, standard_subtag, whisper_code
from app.engines.whisper import WhisperEngine
from app.engines.whisper_models import KNOWN, languages_of, translates

CONVERTED = ("model.bin", "config.json", "tokenizer.json", "vocabulary.json")


def put_checkpoint(weights_dir, name, content=b"weights"):
    path = weights_dir / "whisper" / f"{name}.pt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def put_converted(weights_dir, name, files=CONVERTED):
    folder = weights_dir / "faster-whisper" / name
    folder.mkdir(parents=True)
    for file in files:
        (folder / file).write_bytes(b"weights")
    return folder


def paths_here(engine):
    return {model.name: model.path for model in engine.models() if model.is_here}


@pytest.mark.parametrize("engine", [WhisperEngine, FasterWhisperEngine])
class TestAnEmptyMachine:
    def test_every_known_model_is_named_and_none_is_here(self, engine, tmp_path):
        models = engine(tmp_path / "not" / "there").models()
        assert {*KNOWN, "turbo", "large"} == {model.name for model in models}
        assert not any(model.is_here for model in models)

    def test_the_most_accurate_come_first_and_english_ones_after_their_siblings(self, engine, tmp_path):
        names = [model.name for model in engine(tmp_path).models()]
        assert names.index("large-v3-turbo") < names.index("large-v3") < names.index("medium")
        for sized in ("medium", "small", "base", "tiny"):
            assert names.index(f"{sized}.en") == names.index(sized) + 1


def test_a_checkpoint_is_found(tmp_path):
    path = put_checkpoint(tmp_path, "base")
    assert paths_here(WhisperEngine(tmp_path)) == {"base": path}


def test_a_checkpoint_of_our_own_is_listed_last_and_only_once(tmp_path):
    put_checkpoint(tmp_path, "parliament")
    put_checkpoint(tmp_path, "tiny")
    names = [model.name for model in WhisperEngine(tmp_path).models()]
    assert names[-1] == "parliament"
    assert names.count("tiny") == 1


def test_an_empty_file_is_no_checkpoint(tmp_path):
    put_checkpoint(tmp_path, "base", b"")
    put_checkpoint(tmp_path, "parliament", b"")
    assert paths_here(WhisperEngine(tmp_path)) == {}
    assert "parliament" not in [model.name for model in WhisperEngine(tmp_path).models()]


def test_both_names_of_the_turbo_lead_to_the_same_weights(tmp_path):
    path = put_checkpoint(tmp_path, "large-v3-turbo")
    assert paths_here(WhisperEngine(tmp_path)) == {"large-v3-turbo": path, "turbo": path}


def test_weights_kept_under_an_alias_are_found(tmp_path):
    path = put_converted(tmp_path, "turbo")
    assert paths_here(FasterWhisperEngine(tmp_path))["turbo"] == path


def test_a_converted_model_is_found(tmp_path):
    folder = put_converted(tmp_path, "small")
    assert paths_here(FasterWhisperEngine(tmp_path)) == {"small": folder}


@pytest.mark.parametrize("missing", CONVERTED)
def test_a_converted_model_that_would_have_to_ask_the_network_is_not_here(tmp_path, missing):
    put_converted(tmp_path, "small", [file for file in CONVERTED if file != missing])
    assert paths_here(FasterWhisperEngine(tmp_path)) == {}


@pytest.mark.parametrize("name", ["base.en", "distil-large-v3.5", "meeting.en"])
def test_english_weights_serve_english_alone(name):
    assert languages_of(name) == ("en",)


def test_other_weights_serve_the_languages_whisper_learnt():
    assert {"fr", "zh", "jv", "nb", "fil"} <= set(languages_of("tiny"))
    assert "yue" not in languages_of("large-v2")
    assert all("yue" in languages_of(name) for name in ("large-v3", "large-v3-turbo", "turbo", "large"))


@pytest.mark.parametrize(
    ("name", "can"), [("large-v3", True), ("tiny", True), ("turbo", False), ("tiny.en", False), ("my-turbo", False)]
)
def test_only_weights_trained_to_translate_do(name, can):
    assert translates(name) is can


@pytest.mark.parametrize(
    ("tag", "code"), [("fr", "fr"), ("en-US", "en"), ("pt_BR", "pt"), ("jv", "jw"), ("NB-no", "no"), ("iw", "he")]
)
def test_a_language_tag_becomes_whisper_s_code(tag, code):
    assert whisper_code(tag) == code


def test_what_is_told_of_a_language_is_standard():
    assert standard_subtag("jw") == "jv"
    assert standard_subtag("fr") == "fr"
    assert primary_subtag("zh-Hant-TW") == "zh"


def test_only_subtags_of_known_languages_are_accepted():
    assert accepted_subtags(("fr", "no")) == ("fr", "nb", "no")


def test_reading_what_is_here_imports_no_ml_package():
    code = (
        "import sys, pathlib; from app.engines.whisper import WhisperEngine;"
        "from app.engines.faster_whisper import FasterWhisperEngine;"
        "[e(pathlib.Path('none')).models() for e in (WhisperEngine, FasterWhisperEngine)];"
        "assert not {'torch', 'whisper', 'faster_whisper', 'ctranslate2', 'tokenizers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
