"""Finds who can do what a client asks, before anything is queued: a job that cannot be served is refused at once.

First the engine and the model that were named are looked up and must be here; then each thing asked for
must be within reach of what is left. The best of what remains is taken.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from app.domain.errors import InvalidFields
from app.domain.job import JobOptions
from app.engines.language import primary_subtag
from app.engines.language_tag import is_language_tag
from app.engines.registry import Choice, Registry
from app.engines.weights.advice import advice

AUTO = "auto"
TASKS = ("transcribe", "translate")


def select(registry: Registry, options: JobOptions, default: str = AUTO, *, live: bool = False) -> Choice:
    """The engine and the model, here on this machine, that shall do the job; best first where several can.

    `default` is the engine for jobs that name none. `live`: an engine that streams by itself is better than one
    that hears each utterance again and again. Imports no ML package.

    Raises:
        InvalidFields: something asked for is malformed, or nothing here can do it; says what to fetch, or what
            would be right.
    """
    _check_syntax(options)
    if live:
        _check_live(options)
    named = _named(registry, options, options.engine or default)
    here = [choice for choice in named if choice.model.is_here]
    refusals = _refusals(here or named, named, options)
    if refusals:
        raise InvalidFields(refusals)
    able = _able(here, options)
    if not able:
        raise InvalidFields(_nothing_here(named, options))
    able = _streaming_first(able) if live else able
    return able[0] if options.language else _without_language(able)


def _check_live(options: JobOptions) -> None:
    """What no engine does live."""
    errors: dict[str, list[str]] = {}
    if options.task == "translate":
        errors["task"] = ["Live speech is transcribed, not translated; hand in the recording afterwards."]
    if options.prompt:
        errors["prompt"] = ["A live stream takes no prompt; name the words to favour in hotwords."]
    if errors:
        raise InvalidFields(errors)


def _streaming_first(able: Sequence[Choice]) -> list[Choice]:
    return sorted(able, key=lambda choice: not choice.engine.capabilities.streams)


def _nothing_here(named: Sequence[Choice], options: JobOptions) -> dict[str, list[str]]:
    whose = f"the model {options.model}" if options.model else f"the engine {named[0].engine.name}"
    message = f"The weights of {whose} are not on this machine. {advice(_able(named, options))}".strip()
    return {"model" if options.model else "engine": [message]}


@dataclass(frozen=True, slots=True)
class _Need:
    """Something that not every engine can give. `beyond` says of engines that cannot what it is that they cannot."""

    field: str
    is_met: Callable[[Choice], bool]
    beyond: Callable[[Iterable[Choice]], str]


def _needs(options: JobOptions) -> list[_Need]:
    """What the job needs of its engine and model."""
    needs = []
    if options.language:
        needs.append(_language_need(options.language))
    if options.task == "translate":
        needs.append(_Need("task", _translates, lambda _: "translate"))
    if options.prompt:
        needs.append(_Need("prompt", lambda one: one.engine.capabilities.prompt, lambda _: "take a prompt"))
    if options.hotwords:
        needs.append(_Need("hotwords", lambda one: one.engine.capabilities.hotwords, lambda _: "favour words"))
    return needs


def _language_need(tag: str) -> _Need:
    subtag = primary_subtag(tag)

    def is_met(choice: Choice) -> bool:
        return not choice.model.languages or subtag in choice.model.languages

    def beyond(choices: Iterable[Choice]) -> str:
        known = sorted({language for choice in choices for language in choice.model.languages})
        return f"do {tag!r}, but only: {', '.join(known)}"

    return _Need("language", is_met, beyond)


def _translates(choice: Choice) -> bool:
    return choice.engine.capabilities.translates and choice.model.translates


def _able(choices: Iterable[Choice], options: JobOptions) -> list[Choice]:
    needs = _needs(options)
    return [choice for choice in choices if all(need.is_met(choice) for need in needs)]


def _refusals(asked: Sequence[Choice], named: Sequence[Choice], options: JobOptions) -> dict[str, list[str]]:
    """Each need that nobody `asked` meets; if each is met by somebody, but not all by the same, all of them."""
    needs = _needs(options)
    unmet = [need for need in needs if not any(need.is_met(choice) for choice in asked)]
    what = advice(_able(named, options))
    if unmet:
        return {need.field: [f"{_subject(asked)} cannot {need.beyond(asked)}. {what}".strip()] for need in unmet}
    if _able(asked, options):
        return {}
    fields = " and ".join(need.field for need in needs)
    message = f"{_subject(asked)} cannot do {fields} together. {what}".strip()
    return {need.field: [message] for need in needs}


def _subject(choices: Sequence[Choice]) -> str:
    if len(choices) == 1:
        return f"The model {choices[0].model.name} of {choices[0].engine.name}"
    engines = ", ".join(dict.fromkeys(choice.engine.name for choice in choices))
    are_here = all(choice.model.is_here for choice in choices)
    return f"The models of {engines}{' that are on this machine' if are_here else ''}"


def _named(registry: Registry, options: JobOptions, engine: str) -> list[Choice]:
    """All that the client's words for engine and model may mean, here or not."""
    if engine not in (AUTO, *registry.names()):
        names = ", ".join((AUTO, *registry.names()))
        raise InvalidFields({"engine": [f"There is no engine {engine!r}; there are: {names}."]})
    known = list(registry.known(None if engine == AUTO else engine))
    if not known:
        raise InvalidFields({"engine": [f"The engine {engine} has no models."]})
    if not options.model:
        return known
    named = [choice for choice in known if choice.model.name == options.model]
    if not named:
        raise InvalidFields({"model": [_no_such_model(options.model, engine, known)]})
    return named


def _no_such_model(model: str, engine: str, known: Iterable[Choice]) -> str:
    whose = "No engine knows" if engine == AUTO else f"The engine {engine} knows no"
    here = sorted({choice.model.name for choice in known if choice.model.is_here})
    rest = f"here are: {', '.join(here)}." if here else "none is here."
    return f"{whose} model {model!r}; {rest} See `python -m app weights list --all`."


def _without_language(able: Sequence[Choice]) -> Choice:
    """The best that finds out the language by itself; else the best of those who know only one.

    Raises:
        InvalidFields: its engine has models for several languages here, and only the client knows which to take.
    """
    detecting = (choice for choice in able if choice.engine.capabilities.detects_language and _is_multilingual(choice))
    found = next(detecting, None)
    if found is not None:
        return found
    best = able[0]
    languages = sorted({one for choice in able if choice.engine is best.engine for one in choice.model.languages})
    if len(languages) > 1:
        message = f"No engine on this machine finds out the language by itself; say which: {', '.join(languages)}."
        raise InvalidFields({"language": [message]})
    return best


def _is_multilingual(choice: Choice) -> bool:
    return len(choice.model.languages) != 1


def _check_syntax(options: JobOptions) -> None:
    errors: dict[str, list[str]] = {}
    if options.language and not is_language_tag(options.language):
        errors["language"] = [f"{options.language!r} is not a language tag of BCP 47; `fr` and `en-US` are."]
    if options.task not in TASKS:
        errors["task"] = [f"There is no task {options.task!r}; there are: {', '.join(TASKS)}."]
    if errors:
        raise InvalidFields(errors)
