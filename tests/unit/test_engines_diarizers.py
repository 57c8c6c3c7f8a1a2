"""Which diarization engine does a job, and what is said when none can."""

from pathlib import Path
from typing import Any

import pytest

from app.domain.errors import InvalidFields
from app.domain.speaker_turn import SpeakerTurn
from app.engines.base import ModelInfo
from app.engines.diarizers import DiarizerRegistry, build_diarizers, select_diarizer
from app.engines.pyannote_weights import MODEL, PyannoteWeights
from app.engines.registry import DuplicateEngine
from app.engines.speaker_labels import in_order

HERE = Path("somewhere")
TOKEN = "hf_of_a_test"


def engine(name: str, *models: ModelInfo, advice: str = "") -> Any:
    return type(name, (), {"name": name, "models": lambda _: models, "advice": lambda _: advice})()


BEST = engine("best", ModelInfo("gated"), advice="Set a token.")
PLAIN = engine("plain", ModelInfo("small", (), HERE), ModelInfo("large", (), HERE))


def refusal(registry: DiarizerRegistry, *asked: str | None) -> dict[str, list[str]]:
    with pytest.raises(InvalidFields) as refused:
        select_diarizer(registry, *asked)
    return refused.value.errors


def test_auto_takes_the_first_whose_weights_are_here():
    choice = select_diarizer(DiarizerRegistry([BEST, PLAIN]))
    assert (choice.engine.name, choice.model.name) == ("plain", "small")


def test_a_model_can_be_named_without_its_engine():
    assert select_diarizer(DiarizerRegistry([BEST, PLAIN]), model="large").engine.name == "plain"


def test_who_names_an_engine_whose_weights_are_missing_is_told_what_to_do():
    [message] = refusal(DiarizerRegistry([BEST, PLAIN]), "best")["diarization_engine"]
    assert message.endswith("Set a token.")


def test_an_engine_nobody_knows_is_refused_with_the_names_there_are():
    [message] = refusal(DiarizerRegistry([BEST, PLAIN]), "other")["diarization_engine"]
    assert message.endswith("auto, best, plain.")


def test_a_model_nobody_knows_is_refused_with_the_names_there_are():
    [message] = refusal(DiarizerRegistry([PLAIN]), "plain", "huge")["diarization_model"]
    assert message.endswith("small, large.")


def test_two_engines_of_one_name_are_refused():
    with pytest.raises(DuplicateEngine):
        DiarizerRegistry([PLAIN, PLAIN])


def test_without_a_token_auto_is_the_embedded_engine(tmp_path):
    assert select_diarizer(build_diarizers(tmp_path)).engine.name == "embedded"


def test_with_a_token_auto_is_pyannote(tmp_path):
    assert select_diarizer(build_diarizers(tmp_path, TOKEN)).engine.name == "pyannote"


def test_with_the_pipeline_in_its_folder_auto_is_pyannote_without_a_token(tmp_path):
    folder = tmp_path / "pyannote" / MODEL
    folder.mkdir(parents=True)
    (folder / "config.yaml").touch()
    assert select_diarizer(build_diarizers(tmp_path)).model.path == folder


def test_who_asks_for_pyannote_without_a_token_is_told_which_is_missing_and_how_to_get_it(tmp_path):
    [message] = refusal(build_diarizers(tmp_path), "pyannote")["diarization_engine"]
    assert "HF_TOKEN is not set" in message
    assert f"https://hf.co/pyannote/{MODEL}" in message


def test_a_token_that_was_refused_is_remembered_until_there_is_another(tmp_path):
    PyannoteWeights(tmp_path, TOKEN)._note_refusal()
    [message] = refusal(build_diarizers(tmp_path, TOKEN), "pyannote")["diarization_engine"]
    assert "HF_TOKEN was refused" in message
    assert TOKEN not in message
    assert select_diarizer(build_diarizers(tmp_path, TOKEN)).engine.name == "embedded"
    assert select_diarizer(build_diarizers(tmp_path, "hf_another")).engine.name == "pyannote"


def test_speakers_are_labelled_in_the_order_in_which_they_first_appear():
    turns = in_order([SpeakerTurn(5, 6, "a"), SpeakerTurn(0, 2, "b"), SpeakerTurn(1, 3, "a")])
    assert turns == (
        SpeakerTurn(0, 2, "SPEAKER_00"),
        SpeakerTurn(1, 3, "SPEAKER_01"),
        SpeakerTurn(5, 6, "SPEAKER_01"),
    )


def test_turns_of_one_speaker_that_touch_are_one_even_across_another():
    turns = in_order([SpeakerTurn(0, 2, "a"), SpeakerTurn(1, 3, "b"), SpeakerTurn(2.005, 4, "a")])
    assert turns == (SpeakerTurn(0, 4, "SPEAKER_00"), SpeakerTurn(1, 3, "SPEAKER_01"))
