"""Which engines there are."""

import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import pytest

from app.domain.errors import EngineUnavailable
from app.engines.base import Capabilities, ModelInfo
from app.engines.registry import BrokenPlugin, DuplicateEngine, Registry, build_registry

HEAVY = (
    "torch",
    "whisper",
    "faster_whisper",
    "ctranslate2",
    "vosk",
    "pocketsphinx",
    "onnxruntime",
    "silero_vad",
    "pyannote",
)


class Parrot:
    name: ClassVar[str] = "parrot"
    capabilities: ClassVar[Capabilities] = Capabilities()

    def __init__(self, *models: ModelInfo) -> None:
        self._models = models

    def models(self):
        return self._models

    def load(self, model, hardware):
        raise EngineUnavailable(engine=self.name, reason="it only sits there")


def plugin(folder: Path, name: str, value: str, code: str = "") -> None:
    """Lay an installed distribution into `folder`, as pip would."""
    info = folder / f"parloir_{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: parloir-{name}\nVersion: 1.0\n", encoding="ascii")
    (info / "entry_points.txt").write_text(f"[parloir.engines]\n{name} = {value}\n", encoding="ascii")
    (folder / f"parloir_{name}.py").write_text(code, encoding="ascii")


PARROT = """
from app.engines.base import Capabilities, ModelInfo
class Parrot:
    name = {name!r}
    capabilities = Capabilities()
    def __init__(self, weights_dir): self.weights_dir = weights_dir
    def models(self): return [ModelInfo("grey", ("en",), self.weights_dir)]
"""


def test_the_engines_of_the_house_come_in_the_order_of_preference(tmp_path):
    names = build_registry(tmp_path).names()
    assert names[:4] == ("faster-whisper", "whisper", "vosk", "pocketsphinx")


def test_an_engine_is_found_by_its_name(tmp_path):
    assert build_registry(tmp_path).get("vosk").name == "vosk"


def test_an_unknown_engine_is_refused_and_the_others_are_named():
    with pytest.raises(EngineUnavailable, match="parrot"):
        Registry([Parrot()]).get("owl")


def test_two_engines_of_one_name_are_refused():
    with pytest.raises(DuplicateEngine, match="parrot"):
        Registry([Parrot(), Parrot()])


def test_only_models_that_are_here_are_choices(tmp_path):
    registry = Registry([Parrot(ModelInfo("grey", ("en",), tmp_path), ModelInfo("green", ("fr",)))])
    assert [choice.model.name for choice in registry.choices()] == ["grey"]
    assert [choice.model.name for choice in registry.known()] == ["grey", "green"]


def test_a_plugin_is_found_by_its_entry_point(tmp_path, monkeypatch):
    plugin(tmp_path, "parrot_a", "parloir_parrot_a:Parrot", PARROT.format(name="parrot-a"))
    monkeypatch.syspath_prepend(tmp_path)
    engine = build_registry(tmp_path / "weights").get("parrot-a")
    assert engine.models()[0].path == tmp_path / "weights"


def test_a_plugin_cannot_take_the_name_of_another_engine(tmp_path, monkeypatch):
    plugin(tmp_path, "parrot_b", "parloir_parrot_b:Parrot", PARROT.format(name="vosk"))
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(DuplicateEngine, match="vosk"):
        build_registry(tmp_path)


def test_a_plugin_that_cannot_be_loaded_is_told_by_name(tmp_path, monkeypatch):
    plugin(tmp_path, "parrot_c", "parloir_parrot_c:Missing")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(BrokenPlugin, match="parrot_c"):
        build_registry(tmp_path)


def test_choosing_an_engine_imports_no_machine_learning(tmp_path):
    code = (
        "import sys; from pathlib import Path; from app.domain.job import JobOptions;"
        "from app.engines.registry import build_registry; from app.engines.selection import select;"
        f"registry = build_registry(Path({str(tmp_path)!r})); registry.choices();"
        "assert select(registry, JobOptions(language='en')).engine.name == 'pocketsphinx';"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
