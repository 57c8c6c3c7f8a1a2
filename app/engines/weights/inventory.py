"""What there is and what there could be, with how it is."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.engines.base import ModelInfo
from app.engines.registry import Choice, Registry
from app.engines.weights import manifest
from app.engines.weights.manifest import Condition
from app.engines.weights.store import Store


@dataclass(frozen=True, slots=True)
class Weights:
    """One set of weights; `condition` None: not here. `languages` are primary subtags, none means any."""

    engine: str
    model: str
    languages: tuple[str, ...]
    size_bytes: int | None
    condition: Condition | None


def inventory(registry: Registry, store: Store, *, verify: bool = False) -> list[Weights]:
    """All that is known to the engines or was fetched, best first; `verify` reads every byte of what is here."""
    known = {(one.engine.name, one.model.name): one for one in registry.known()}
    lost = [key for key in manifest.noted(store.root) if key not in known]
    return [*(_known(one, store, verify=verify) for one in known.values()), *_lost(lost, store, verify=verify)]


def _known(choice: Choice, store: Store, *, verify: bool) -> Weights:
    engine, model = choice.engine.name, choice.model
    noted = manifest.find(manifest.path_of(store.root, engine, model.name))
    condition = noted.condition(store.root, verify=verify) if noted else _without_note(model, store)
    return Weights(engine, model.name, model.languages, noted.size_bytes if noted else _size(model), condition)


def _without_note(model: ModelInfo, store: Store) -> Condition | None:
    if model.path is None:
        return None
    return Condition.BY_HAND if model.path.is_relative_to(store.root) else Condition.INSTALLED


def _lost(keys: list[tuple[str, str]], store: Store, *, verify: bool) -> Iterator[Weights]:
    """Fetched once, and not known to any engine since: it may have been damaged, or its plug-in removed."""
    for engine, model in keys:
        noted = manifest.find(manifest.path_of(store.root, engine, model))
        if noted:
            yield Weights(engine, model, (), noted.size_bytes, noted.condition(store.root, verify=verify))


def _size(model: ModelInfo) -> int | None:
    if model.path is None:
        return None
    paths = model.path.rglob("*") if model.path.is_dir() else [model.path]
    return sum(path.stat().st_size for path in paths if path.is_file())
