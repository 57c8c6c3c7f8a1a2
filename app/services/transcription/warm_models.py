"""Loaded weights, kept between runs: loading them can take longer than a short recording."""

from collections import OrderedDict
from pathlib import Path

import structlog

from app.engines.base import Hardware, Transcriber
from app.engines.registry import Choice

log = structlog.get_logger(__name__)

_Key = tuple[str, str, Path | None]


class WarmModels:
    """At most `n_kept` transcribers; the one that was not used for longest goes first."""

    def __init__(self, hardware: Hardware, n_kept: int) -> None:
        self._hardware = hardware
        self._n_kept = max(1, n_kept)
        self._loaded: OrderedDict[_Key, Transcriber] = OrderedDict()

    def get(self, choice: Choice) -> Transcriber:
        """The transcriber for an engine and model, loaded if it is not yet.

        Raises:
            EngineUnavailable: the weights cannot be loaded.
        """
        key = _key(choice)
        if key not in self._loaded:
            self._make_room()
            self._loaded[key] = choice.engine.load(choice.model, self._hardware)
            log.info("model_loaded", engine=choice.engine.name, model=choice.model.name)
        self._loaded.move_to_end(key)
        return self._loaded[key]

    def forget(self, choice: Choice) -> None:
        """Drop it: after an error nobody knows what state it is in."""
        self._loaded.pop(_key(choice), None)

    def _make_room(self) -> None:
        """Before loading, so that old and new weights are never in memory together."""
        while len(self._loaded) >= self._n_kept:
            self._loaded.popitem(last=False)


def _key(choice: Choice) -> _Key:
    return choice.engine.name, choice.model.name, choice.model.path
