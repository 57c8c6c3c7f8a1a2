"""Messages for people: by code where there is one, by their English words where a field is told what is wrong."""

from collections.abc import Iterable, Mapping
from typing import Any

from app.domain.errors import ParloirError
from app.domain.job import JobFailure
from app.i18n import messages_en, messages_fr
from app.i18n.locales import Locale
from app.i18n.phrases import Phrases
from app.i18n.phrases_fr import PHRASES as PHRASES_FR

TEXTS: Mapping[Locale, Mapping[str, str]] = {Locale.FR: messages_fr.TEXTS, Locale.EN: messages_en.TEXTS}
FRENCH = Phrases(PHRASES_FR)


class _Lenient(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "?"


def text(name: str, locale: Locale, **params: Any) -> str:
    """One of the service's own sentences, by its name."""
    return TEXTS[locale][name].format_map(params)


def error_message(error: ParloirError, locale: Locale) -> str:
    """What went wrong. In English an error tells it by itself."""
    return _by_code(error.code, error.params, locale) or error.message


def failure_message(failure: JobFailure, locale: Locale) -> str:
    """Why a job failed; it is stored with its English message, its code and what that was filled in with."""
    return _by_code(failure.code, failure.params, locale) or failure.message


def field_messages(errors: Mapping[str, Iterable[str]], locale: Locale) -> dict[str, list[str]]:
    """What is wrong with each field; what there is no translation of stays in English."""
    return {field: [_translated(message, locale) for message in messages] for field, messages in errors.items()}


def _by_code(code: str, params: Mapping[str, Any], locale: Locale) -> str | None:
    if locale is Locale.EN or code not in messages_fr.ERRORS:
        return None
    filled = {name: _translated(str(value), locale) for name, value in params.items()}
    return messages_fr.ERRORS[code].format_map(_Lenient(filled))


def _translated(message: str, locale: Locale) -> str:
    return FRENCH.translate(message) if locale is Locale.FR else message
