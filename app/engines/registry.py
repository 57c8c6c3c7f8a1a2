"""Which engines there are: those of the house, and plug-ins.

A plug-in is a package with an entry point in the group `parloir.engines` that names a callable: given the weights
folder, it returns a `TranscriptionEngine`. Its module must be light, like those here: the API imports it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from app.domain.errors import EngineUnavailable
from app.engines.base import ModelInfo, TranscriptionEngine
from app.engines.faster_whisper import FasterWhisperEngine
from app.engines.pocketsphinx import PocketsphinxEngine
from app.engines.vosk import VoskEngine
from app.engines.whisper import WhisperEngine

PLUGINS = "parloir.engines"
HOUSE = (FasterWhisperEngine, WhisperEngine, VoskEngine, PocketsphinxEngine)
"""In the order in which `auto` wants them: accuracy first, then speed, then what is always here."""


class DuplicateEngine(ValueError):
    """Two engines have the same name."""


class BrokenPlugin(RuntimeError):
    """A plug-in cannot be loaded."""


@dataclass(frozen=True, slots=True)
class Choice:
    """An engine with one of the models it knows."""

    engine: TranscriptionEngine
    model: ModelInfo


class Registry:
    """Engines by name, in order of preference."""

    def __init__(self, engines: Iterable[TranscriptionEngine]) -> None:
        """Raises `DuplicateEngine` if two have the same name."""
        self._engines: dict[str, TranscriptionEngine] = {}
        for engine in engines:
            if engine.name in self._engines:
                raise DuplicateEngine(f"There are two engines named {engine.name!r}; remove one of the plug-ins.")
            self._engines[engine.name] = engine

    def names(self) -> tuple[str, ...]:
        """The names of all engines."""
        return tuple(self._engines)

    def get(self, name: str) -> TranscriptionEngine:
        """The engine of this name.

        Raises:
            EngineUnavailable: there is none.
        """
        try:
            return self._engines[name]
        except KeyError:
            reason = f"there is none of this name, but {', '.join(self._engines)}"
            raise EngineUnavailable(engine=name, reason=reason) from None

    def known(self, name: str | None = None) -> Iterator[Choice]:
        """Every engine, or the one of this name, with every model it knows, here or not, best first."""
        for engine in self._engines.values() if name is None else [self.get(name)]:
            for model in engine.models():
                yield Choice(engine, model)

    def choices(self) -> tuple[Choice, ...]:
        """Every engine with every model whose weights are here, best first."""
        return tuple(choice for choice in self.known() if choice.model.is_here)


def build_registry(weights_dir: Path) -> Registry:
    """The engines of the house, then those of plug-ins, by name. Imports no ML package.

    Raises:
        DuplicateEngine: a plug-in takes a name that is taken.
        BrokenPlugin: a plug-in cannot be loaded.
    """
    return Registry([*(make(weights_dir) for make in HOUSE), *_plugins(weights_dir)])


def _plugins(weights_dir: Path) -> Iterator[TranscriptionEngine]:
    for entry_point in sorted(entry_points(group=PLUGINS), key=lambda one: one.name):
        yield _plugin(entry_point, weights_dir)


def _plugin(entry_point: EntryPoint, weights_dir: Path) -> TranscriptionEngine:
    try:
        engine: TranscriptionEngine = entry_point.load()(weights_dir)
    except Exception as error:
        # It could be anything: the code is not ours.
        raise BrokenPlugin(f"The plug-in {entry_point.name} ({entry_point.value}) cannot be loaded: {error}") from error
    return engine
