"""What to fetch, in words for whoever asked for something that is not here."""

from collections.abc import Iterable
from itertools import groupby, islice

from app.engines.registry import Choice
from app.engines.weights.catalogue import FETCHABLE, starter

MAX_SUGGESTIONS = 2


def advice(choices: Iterable[Choice]) -> str:
    """Commands that fetch weights out of `choices` (by engine, best first); empty if none can be fetched."""
    missing = [one for one in choices if not one.model.is_here and one.engine.name in FETCHABLE]
    commands = (_command(engine, group) for engine, group in groupby(missing, lambda one: one.engine.name))
    told = list(islice(commands, MAX_SUGGESTIONS))
    return f"Fetch what can with {' or '.join(told)}." if told else ""


def _command(engine: str, group: Iterable[Choice]) -> str:
    return f"`python -m app weights pull {engine} {starter(engine, (one.model.name for one in group))}`"
