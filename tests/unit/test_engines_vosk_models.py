"""What the names of Vosk's models tell."""

import pytest

from app.engines.vosk_models import KNOWN, language_of, listed


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("vosk-model-small-fr-0.22", "fr"),
        ("vosk-model-small-en-us-0.15", "en"),
        ("vosk-model-small-cn-0.22", "zh"),
        ("vosk-model-small-vn-0.4", "vi"),
        ("vosk-model-kz-0.42", "kk"),
        ("vosk-model-tl-ph-generic-0.6", "tl"),
        ("vosk-model-pt-fb-v0.1.1-20220516_2113", "pt"),
        ("vosk-model-spk-0.4", None),
        ("vosk-model-small-fr", None),
        ("../vosk-model-small-fr-0.22", None),
        ("vosk-model-small-fr-0.22/..", None),
        ("my-model", None),
    ],
)
def test_the_language_of_a_model_is_in_its_name(name, language):
    assert language_of(name) == language


def test_every_known_model_has_a_language():
    assert all(map(language_of, KNOWN))
    assert len(set(KNOWN)) == len(KNOWN)


def test_the_more_accurate_models_come_first(tmp_path):
    french = [model.name for model in listed(tmp_path) if model.languages == ("fr",)]
    assert french == ["vosk-model-fr-0.22", "vosk-model-small-fr-0.22"]


def test_a_model_of_ones_own_is_listed_when_it_is_named_as_they_are(tmp_path):
    (tmp_path / "vosk-model-fr-mine" / "am").mkdir(parents=True)
    (tmp_path / "vosk-model-fr-mine" / "am" / "final.mdl").touch()
    assert [model.name for model in listed(tmp_path) if model.is_here] == ["vosk-model-fr-mine"]
