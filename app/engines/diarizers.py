"""Which diarization engines there are (those of the house, and plug-ins), and which of them does a job.

A plug-in is a package with an entry point in the group `parloir.diarizers` that names a callable: given the weights
folder, it returns a `DiarizationEngine`. Its module must be light, like those here: the API imports it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

from app.domain.errors import EngineUnavailable, InvalidFields
from app.engines.base import ModelInfo
from app.engines.diarization import DiarizationEngine
from app.engines.embedded.engine import EmbeddedEngine
from app.engines.pyannote import PyannoteEngine
from app.engines.registry import BrokenPlugin, DuplicateEngine

PLUGINS = "parloir.diarizers"
AUTO = "auto"


@dataclass(frozen=True, slots=True)
class DiarizerChoice:
    """An engine with one of the models it knows."""

    engine: DiarizationEngine
    model: ModelInfo


class DiarizerRegistry:
    """Diarization engines by name, in the order in which `auto` wants them."""

    def __init__(self, engines: Iterable[DiarizationEngine]) -> None:
        """Raises `DuplicateEngine` if two have the same name."""
        self._engines: dict[str, DiarizationEngine] = {}
        for engine in engines:
            if engine.name in self._engines:
                raise DuplicateEngine(f"There are two diarizers named {engine.name!r}; remove one of the plug-ins.")
            self._engines[engine.name] = engine

    def names(self) -> tuple[str, ...]:
        """The names of all engines."""
        return tuple(self._engines)

    def get(self, name: str) -> DiarizationEngine:
        """The engine of this name.

        Raises:
            EngineUnavailable: there is none.
        """
        if name not in self._engines:
            raise EngineUnavailable(engine=name, reason=f"there is none of this name, but {', '.join(self._engines)}")
        return self._engines[name]

    def known(self) -> Iterator[DiarizerChoice]:
        """Every engine with every model it knows, here or not, best first."""
        for engine in self._engines.values():
            for model in engine.models():
                yield DiarizerChoice(engine, model)


def build_diarizers(weights_dir: Path, hf_token: str | None = None) -> DiarizerRegistry:
    """The engines of the house, then those of plug-ins, by name. Imports no ML package.

    Args:
        weights_dir: where weights are kept.
        hf_token: opens the gated weights on Hugging Face, if the operator has one.

    Raises:
        DuplicateEngine: a plug-in takes a name that is taken.
        BrokenPlugin: a plug-in cannot be loaded.
    """
    house = (PyannoteEngine(weights_dir, hf_token), EmbeddedEngine(weights_dir))
    return DiarizerRegistry([*house, *_plugins(weights_dir)])


def select_diarizer(
    registry: DiarizerRegistry, engine: str | None = None, model: str | None = None, default: str = AUTO
) -> DiarizerChoice:
    """The engine and the model, here on this machine, that shall do a job; the best where several can.

    Raises:
        InvalidFields: there is none such, or its weights are not here; says how to get them. The fields are
            `diarization_engine` and `diarization_model`.
    """
    name = engine or default
    known = [choice for choice in registry.known() if name in (AUTO, choice.engine.name)]
    named = [choice for choice in known if model in (None, choice.model.name)]
    here = [choice for choice in named if choice.model.is_here]
    if here:
        return here[0]
    raise InvalidFields(_refusal(registry, name, model, known, named))


def _refusal(
    registry: DiarizerRegistry,
    engine: str,
    model: str | None,
    known: list[DiarizerChoice],
    named: list[DiarizerChoice],
) -> dict[str, list[str]]:
    if engine not in (AUTO, *registry.names()):
        names = ", ".join((AUTO, *registry.names()))
        return {"diarization_engine": [f"There is no diarization engine {engine!r}; there are: {names}."]}
    if not named:
        models = ", ".join(dict.fromkeys(choice.model.name for choice in known)) or "none"
        return {"diarization_model": [f"No such model {model!r}; known are: {models}."]}
    advice = " ".join(dict.fromkeys(filter(None, (choice.engine.advice() for choice in named))))
    subject = f"The diarization engine {engine}" if engine != AUTO else "Diarization"
    return {"diarization_engine": [f"{subject} cannot be used on this machine. {advice}".strip()]}


def _plugins(weights_dir: Path) -> Iterator[DiarizationEngine]:
    for entry_point in sorted(entry_points(group=PLUGINS), key=lambda one: one.name):
        try:
            engine: DiarizationEngine = entry_point.load()(weights_dir)
        except Exception as error:
            # It could be anything: the code is not ours.
            message = f"The plug-in {entry_point.name} ({entry_point.value}) cannot be loaded: {error}"
            raise BrokenPlugin(message) from error
        yield engine
