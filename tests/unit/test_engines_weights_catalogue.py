"""What can be fetched is what the engines' own packages know."""

import re
from pathlib import Path

import pytest

from app.engines import whisper_models
from app.engines.registry import build_registry
from app.engines.weights.catalogue import FETCHABLE, STARTERS, sources, starter
from app.engines.weights.errors import UnknownWeights, WeightsError
from app.engines.weights.hub_snapshots import REPOSITORIES
from app.engines.weights.store import Store
from app.engines.weights.whisper_checkpoints import SHA256


def source_of(package: str, path: str) -> str:
    """A module's text, without importing it."""
    from importlib.util import find_spec

    return (Path(find_spec(package).submodule_search_locations[0]) / path).read_text(encoding="utf-8")


@pytest.fixture
def source():
    return sources(whisper_url="http://whisper.test", vosk_url="http://vosk.test")


def test_the_checkpoints_are_those_of_the_installed_whisper():
    published = dict(re.findall(r'"([\w.-]+)": "https://[^"]*/([0-9a-f]{64})/', source_of("whisper", "__init__.py")))
    assert {name: published[name] for name in SHA256} == SHA256
    assert set(published) == set(SHA256) | set(whisper_models.ALIASES)


def test_the_repositories_are_those_of_the_installed_faster_whisper():
    published = dict(re.findall(r'"([\w.-]+)": "([\w-]+/[\w.-]+)"', source_of("faster_whisper", "utils.py")))
    assert {name: published[name] for name in REPOSITORIES} == REPOSITORIES
    assert set(published) == set(REPOSITORIES) | set(whisper_models.ALIASES)


def test_every_known_model_of_whisper_can_be_fetched(source):
    for engine in ("whisper", "faster-whisper"):
        for name in (*whisper_models.KNOWN, *whisper_models.ALIASES):
            assert source[engine].resolve(name) in whisper_models.KNOWN


def test_a_language_of_vosk_stands_for_its_light_model(source):
    assert source["vosk"].resolve("fr") == "vosk-model-small-fr-0.22"
    assert source["vosk"].resolve("ar") == "vosk-model-ar-mgb2-0.4"


@pytest.mark.parametrize("engine", FETCHABLE)
@pytest.mark.parametrize("name", ["nothing", "../secret", ""])
def test_an_unknown_name_is_refused(source, engine, name):
    with pytest.raises(UnknownWeights):
        source[engine].resolve(name)


def test_every_engine_that_can_be_fetched_has_a_source_and_a_starter(source, tmp_path):
    registry = build_registry(tmp_path)
    assert set(source) == set(FETCHABLE) == set(STARTERS)
    for engine in FETCHABLE:
        names = [model.name for model in registry.get(engine).models()]
        assert starter(engine, names) == STARTERS[engine]


def test_where_the_starter_cannot_the_lightest_that_can_is_one():
    assert starter("whisper", ["large-v3", "medium"]) == "medium"


def test_only_one_process_works_on_a_model_at_a_time(tmp_path):
    store = Store(tmp_path)
    with store.incoming("vosk", "a"), store.incoming("vosk", "b"), pytest.raises(WeightsError, match="Another process"):
        store.incoming("vosk", "a").__enter__()
    with store.incoming("vosk", "a") as folder:
        assert folder.is_dir()
