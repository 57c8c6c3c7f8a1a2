"""The names of Whisper's weights, in the order in which `auto` should want them."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from app.engines.base import ModelInfo
from app.engines.language import LARGE_V3_LANGUAGES, WHISPER_LANGUAGES, accepted_subtags

KNOWN = (
    "large-v3-turbo",
    "large-v3",
    "large-v2",
    "large-v1",
    "medium",
    "medium.en",
    "small",
    "small.en",
    "base",
    "base.en",
    "tiny",
    "tiny.en",
)
"""The most accurate first: who fetched a larger model wants it used. The turbo leads although it is a little less
accurate than the large one it was made from: its decoder has 4 layers instead of 32, so it is several times faster,
and it makes up fewer words. A model for English alone comes after its sibling, which also serves every other
language."""

ALIASES = {"turbo": "large-v3-turbo", "large": "large-v3"}

Finder = Callable[[str], Path | None]
"""Where the weights of a name are, if they are here and complete."""


def listed(find: Finder, names_here: Iterable[str]) -> Sequence[ModelInfo]:
    """All known models, then their aliases, then whatever else is here."""
    others = sorted(set(names_here) - set(KNOWN) - set(ALIASES))
    known = [_info(name, find(name)) for name in KNOWN]
    aliases = [_info(alias, find(name) or find(alias)) for alias, name in ALIASES.items()]
    found = [_info(name, find(name)) for name in others]
    return [*known, *aliases, *(model for model in found if model.is_here)]


def is_english_only(name: str) -> bool:
    """Whether these weights know English alone: the `.en` ones, and the distilled ones."""
    return name.endswith(".en") or name.startswith("distil-")


def translates(name: str) -> bool:
    """Whether these weights were trained to translate: neither the turbo nor the English ones were."""
    return not is_english_only(name) and "turbo" not in name


def languages_of(name: str) -> tuple[str, ...]:
    """The primary subtags these weights serve."""
    if is_english_only(name):
        return ("en",)
    is_newest = ALIASES.get(name, name).startswith("large-v3")
    return accepted_subtags(LARGE_V3_LANGUAGES if is_newest else WHISPER_LANGUAGES)


def _info(name: str, path: Path | None) -> ModelInfo:
    return ModelInfo(name, languages_of(name), path, translates(name))
