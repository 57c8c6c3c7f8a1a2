"""Who does what a client asks for, and what is said when nobody can."""

from pathlib import Path
from typing import Any

import pytest

from app.domain.errors import InvalidFields
from app.domain.job import JobOptions
from app.engines.base import Capabilities, ModelInfo
from app.engines.registry import Registry, build_registry
from app.engines.selection import select

HERE = Path("somewhere")


def engine(name: str, *models: ModelInfo, **capabilities: Any) -> Any:
    """An engine that can do what is said of it."""
    made = type(name, (), {"name": name, "capabilities": Capabilities(**capabilities), "models": lambda _: models})
    return made()


WHISPERER = engine(
    "whisperer",
    ModelInfo("big", ("en", "fr"), HERE, translates=False),
    ModelInfo("small", ("en", "fr"), HERE),
    ModelInfo("small.en", ("en",), HERE, translates=False),
    detects_language=True,
    translates=True,
    prompt=True,
    hotwords=True,
)
PROMPTED = engine("prompted", ModelInfo("de", ("de",), HERE), prompt=True)
PLAIN = engine("plain", ModelInfo("fr", ("fr",), HERE), ModelInfo("it", ("it",)))
ENGLISH = engine("english", ModelInfo("en", ("en",), HERE))
ALL = Registry([WHISPERER, PROMPTED, PLAIN, ENGLISH])


def chosen(registry: Registry, default: str = "auto", **options: Any) -> str:
    choice = select(registry, JobOptions(**options), default)
    return f"{choice.engine.name}/{choice.model.name}"


def refusal(registry: Registry, default: str = "auto", **options: Any) -> dict[str, list[str]]:
    with pytest.raises(InvalidFields) as refused:
        select(registry, JobOptions(**options), default)
    return refused.value.errors


@pytest.fixture
def weights_dir(tmp_path):
    return tmp_path


def put_here(weights_dir: Path, *names: str) -> Registry:
    """The registry of a machine with these weights; only their presence counts."""
    for name in names:
        path = weights_dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"weights")
    return build_registry(weights_dir)


def test_the_best_engine_that_knows_the_language_is_taken():
    assert chosen(ALL, language="fr") == "whisperer/big"
    assert chosen(ALL, language="de") == "prompted/de"
    assert chosen(Registry([PLAIN, ENGLISH]), language="en") == "english/en"


def test_only_the_primary_subtag_of_a_language_counts():
    assert chosen(ALL, language="fr-CA") == "whisperer/big"
    assert chosen(ALL, language="DE-Latn-AT-1996") == "prompted/de"


def test_without_a_language_whoever_finds_it_out_is_taken():
    assert chosen(Registry([ENGLISH, WHISPERER])) == "whisperer/big"


def test_without_a_language_the_only_english_engine_is_taken():
    assert chosen(Registry([ENGLISH])) == "english/en"


def test_without_a_language_weights_for_english_alone_cannot_find_it_out():
    only_english = engine("half", ModelInfo("small.en", ("en",), HERE), detects_language=True)
    assert chosen(Registry([only_english, WHISPERER])) == "whisperer/big"


def test_without_a_language_models_of_several_are_not_guessed_between():
    bilingual = engine("bilingual", ModelInfo("fr", ("fr",), HERE), ModelInfo("de", ("de",), HERE))
    [message] = refusal(Registry([bilingual, ENGLISH]))["language"]
    assert "de, fr" in message


def test_translation_goes_to_weights_that_can():
    assert chosen(ALL, language="fr", task="translate") == "whisperer/small"


def test_a_prompt_or_hotwords_go_to_an_engine_that_can():
    registry = Registry([PLAIN, WHISPERER])
    assert chosen(registry, language="fr") == "plain/fr"
    assert chosen(registry, language="fr", prompt="Parloir") == "whisperer/big"
    assert chosen(registry, language="fr", hotwords=("Parloir",)) == "whisperer/big"


def test_an_engine_and_a_model_named_are_taken():
    assert chosen(ALL, engine="english") == "english/en"
    assert chosen(ALL, engine="whisperer", model="small") == "whisperer/small"
    assert chosen(ALL, model="small.en", language="en") == "whisperer/small.en"


def test_the_default_engine_stands_for_one_that_is_not_named():
    assert chosen(ALL, default="english") == "english/en"
    assert chosen(ALL, default="english", engine="auto", language="fr") == "whisperer/big"
    assert list(refusal(ALL, default="english", language="fr")) == ["language"]


def test_an_unknown_engine_is_refused_with_the_names_of_those_there_are():
    [message] = refusal(ALL, engine="deaf")["engine"]
    assert "'deaf'" in message
    assert "auto, whisperer, prompted, plain, english" in message


def test_an_unknown_model_is_refused_with_the_names_of_those_here():
    [message] = refusal(ALL, engine="whisperer", model="huge")["model"]
    assert "big, small, small.en" in message
    assert list(refusal(ALL, model="huge")) == ["model"]


def test_a_model_that_is_not_here_is_refused():
    assert list(refusal(ALL, engine="plain", model="it")) == ["model"]


@pytest.mark.parametrize("given", [{"prompt": "x"}, {"hotwords": ("x",)}, {"task": "translate"}, {"language": "fr"}])
def test_what_the_engine_named_cannot_do_is_refused(given):
    assert list(refusal(ALL, engine="english", **given)) == list(given)


def test_what_no_engine_can_do_is_refused_under_auto_too():
    assert list(refusal(Registry([PLAIN, ENGLISH]), language="en", prompt="x")) == ["prompt"]


def test_all_that_is_wrong_is_told_at_once():
    told = refusal(ALL, engine="english", language="fr", prompt="x", task="translate")
    assert set(told) == {"language", "prompt", "task"}


def test_needs_that_only_different_engines_meet_are_refused_together():
    told = refusal(Registry([PROMPTED, PLAIN]), language="fr", prompt="x")
    assert set(told) == {"language", "prompt"}
    assert "together" in told["prompt"][0]


@pytest.mark.parametrize("tag", ["french", "f", "fr_FR", "fr-", "fr FR", "42", "x-private", "-"])
def test_what_is_no_language_tag_is_refused(tag):
    [message] = refusal(ALL, language=tag)["language"]
    assert "BCP 47" in message


@pytest.mark.parametrize(
    "tag", ["fr", "fr-FR", "fr-Latn-FR", "sl-rozaj-biske", "fr-419", "fr-u-co-phonebk", "fr-x-mine"]
)
def test_tags_of_every_form_are_read(tag):
    told = refusal(Registry([ENGLISH]), language=tag)["language"]
    assert "BCP 47" not in told[0]


def test_an_unknown_task_is_refused():
    assert list(refusal(ALL, task="summarise")) == ["task"]


def test_a_refusal_says_what_to_fetch(weights_dir):
    [message] = refusal(put_here(weights_dir), language="fr")["language"]
    assert "`python -m app weights pull faster-whisper small`" in message


def test_an_engine_without_weights_is_refused_with_what_to_fetch(weights_dir):
    [message] = refusal(put_here(weights_dir), engine="vosk", language="fr")["engine"]
    assert "`python -m app weights pull vosk vosk-model-small-fr-0.22`" in message


def test_known_weights_that_are_not_here_are_refused_with_how_to_fetch_them(weights_dir):
    [message] = refusal(put_here(weights_dir), engine="whisper", model="base")["model"]
    assert "`python -m app weights pull whisper base`" in message


def test_what_an_engine_can_never_do_is_told_before_its_weights_are_fetched(weights_dir):
    assert list(refusal(put_here(weights_dir), engine="vosk", prompt="x")) == ["prompt"]


def test_a_language_that_nobody_knows_is_refused_without_false_hopes(weights_dir):
    [message] = refusal(put_here(weights_dir), language="tlh")["language"]
    assert "pull" not in message


def test_weights_that_are_here_are_used_at_once(weights_dir):
    assert chosen(put_here(weights_dir), language="en") == "pocketsphinx/en-us"
    assert chosen(put_here(weights_dir, "vosk/vosk-model-small-fr-0.22/am/final.mdl"), language="fr").startswith(
        "vosk/"
    )
    assert chosen(put_here(weights_dir, "whisper/base.pt"), language="fr") == "whisper/base"


def test_the_turbo_is_not_asked_to_translate(weights_dir):
    registry = put_here(weights_dir, "whisper/large-v3-turbo.pt", "whisper/base.pt")
    assert chosen(registry, language="fr") == "whisper/large-v3-turbo"
    assert chosen(registry, language="fr", task="translate") == "whisper/base"
    [message] = refusal(put_here(weights_dir), engine="whisper", model="large-v3-turbo", task="translate")["task"]
    assert "large-v3-turbo" in message


STREAMER = engine("streamer", ModelInfo("en", ("en",), HERE), streams=True)


def chosen_live(registry: Registry, **options: Any) -> str:
    return select(registry, JobOptions(**options), live=True).engine.name


def test_live_an_engine_that_streams_by_itself_goes_first_and_recorded_it_does_not():
    registry = Registry([WHISPERER, STREAMER])
    assert chosen_live(registry, language="en") == "streamer"
    assert chosen(registry, language="en") == "whisperer/big"


def test_live_others_serve_what_no_streaming_engine_can():
    registry = Registry([STREAMER, WHISPERER])
    assert chosen_live(registry, language="fr") == "whisperer"
    assert chosen_live(registry, language="en", hotwords=("Parloir",)) == "whisperer"
    assert chosen_live(registry, language="en", engine="whisperer") == "whisperer"


def test_live_a_language_that_is_not_told_is_found_out_rather_than_taken_for_granted():
    assert chosen_live(Registry([STREAMER, WHISPERER])) == "whisperer"
    assert chosen_live(Registry([PLAIN, STREAMER])) == "streamer"


@pytest.mark.parametrize(("field", "options"), [("task", {"task": "translate"}), ("prompt", {"prompt": "x"})])
def test_live_there_is_no_translation_and_no_prompt(field, options):
    with pytest.raises(InvalidFields) as refused:
        select(Registry([WHISPERER]), JobOptions(**options), live=True)
    assert list(refused.value.errors) == [field]
