"""People are told what is wrong in their language, with everything that the English message says."""

import string
from pathlib import Path

import pytest

import app.services.jobs.endings  # noqa: F401 - defines errors of its own
from app.audio.decoder import BROKEN, NO_CODEC, NO_MEMORY
from app.domain.errors import EngineError, InvalidFields, MediaUnreadable, NotFound, ParloirError, RefusedTransition
from app.domain.job import JobFailure, JobOptions
from app.domain.states import JobState
from app.engines.base import Capabilities, ModelInfo
from app.engines.registry import Registry, build_registry
from app.engines.selection import select
from app.i18n import catalogue, messages_en, messages_fr
from app.i18n.locales import Locale
from app.i18n.phrases import Phrases
from app.i18n.phrases_fr import PHRASES
from app.schemas.create_job import CreateBatchJobForm
from app.schemas.jobs import JobPatchBody, JobsQuery
from app.schemas.loading import load


def all_errors(kind: type[ParloirError] = ParloirError) -> set[type[ParloirError]]:
    return {kind}.union(*(all_errors(sub) for sub in kind.__subclasses__()))


ERRORS = sorted(all_errors(), key=lambda error: error.code)


def places(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def first_line(kind: type[ParloirError]) -> str:
    return (kind.__doc__ or "").split("\n", 1)[0]


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.code)
def test_each_error_is_told_in_both_languages(kind):
    assert places(messages_fr.ERRORS[kind.code]) == places(first_line(kind))
    values = dict.fromkeys(places(first_line(kind)), "42")
    error = InvalidFields({}) if kind is InvalidFields else kind(**values)
    english, french = (catalogue.error_message(error, locale) for locale in (Locale.EN, Locale.FR))
    assert english == error.message
    assert french != english
    assert ("42" in french) == bool(values)


def test_no_translation_is_of_an_error_that_is_gone():
    assert set(messages_fr.ERRORS) == {kind.code for kind in ERRORS}


def test_the_other_sentences_are_there_in_both_languages():
    assert set(messages_fr.TEXTS) == set(messages_en.TEXTS)
    for name, english in messages_en.TEXTS.items():
        assert places(messages_fr.TEXTS[name]) == places(english), name


def test_each_state_is_told_to_people():
    assert {f"job.{state}" for state in JobState} <= set(messages_fr.TEXTS)


@pytest.mark.parametrize(("english", "french"), PHRASES.items())
def test_a_phrase_keeps_its_places(english, french):
    assert places(french) == places(english)


def test_what_fills_a_message_is_translated_too():
    assert catalogue.error_message(NotFound(what="recording"), Locale.FR).startswith("Enregistrement introuvable")
    told = catalogue.error_message(RefusedTransition(old="QUEUED", new="FAILED"), Locale.FR)
    assert told == "Une demande en attente ne peut pas devenir en échec."


@pytest.mark.parametrize("reason", [BROKEN, NO_CODEC, NO_MEMORY, "2.00 s were found in it"])
def test_why_a_recording_cannot_be_read_is_told_in_french(reason):
    told = catalogue.error_message(MediaUnreadable(reason=reason), Locale.FR)
    assert told.startswith("L'enregistrement ne peut pas être décodé : ")
    assert reason not in told


def test_why_a_job_failed_is_told_from_what_was_stored():
    error = EngineError(reason="scripted")
    failure = JobFailure(error.code, error.message, retryable=True, attempts=3, params=error.params)
    assert catalogue.failure_message(failure, Locale.FR) == "Le moteur a échoué : scripted."
    assert catalogue.failure_message(failure, Locale.EN) == "The engine failed: scripted."


def test_a_failure_of_an_unknown_kind_is_told_as_it_was_stored():
    failure = JobFailure("of_a_plug_in", "It rained.", retryable=False, attempts=1)
    assert catalogue.failure_message(failure, Locale.FR) == "It rained."


def test_a_failure_whose_values_are_lost_is_still_told():
    failure = JobFailure("engine_error", "", retryable=False, attempts=1)
    assert catalogue.failure_message(failure, Locale.FR) == "Le moteur a échoué : ?."


def test_an_unknown_sentence_stays_as_it_is():
    assert Phrases({"a {thing}": "un {thing}"}).translate("the cat") == "the cat"


@pytest.mark.parametrize(
    "braces", ["{", "}", "{0}", "{x}", "{x!r}", "%s"], ids=["open", "close", "number", "name", "repr", "percent"]
)
def test_what_clients_write_is_never_taken_for_a_place(braces):
    message = catalogue.field_messages({"f": [f"Must be one of: {braces}."]}, Locale.FR)["f"][0]
    assert message == f"Doit être parmi : {braces}."
    assert braces in catalogue.error_message(EngineError(reason=braces), Locale.FR)


def refusal(registry: Registry, **options: object) -> dict[str, list[str]]:
    with pytest.raises(InvalidFields) as refused:
        select(registry, JobOptions(**options))
    return refused.value.errors


@pytest.mark.parametrize(
    "options",
    [
        {"engine": "nope"},
        {"engine": "faster-whisper"},
        {"engine": "vosk", "language": "fr"},
        {"model": "nope"},
        {"engine": "pocketsphinx", "model": "nope"},
        {"engine": "whisper", "model": "tiny"},
        {"language": "français"},
        {"language": "ja"},
        {"language": "tlh"},
        {"language": "en", "engine": "pocketsphinx", "hotwords": ("a",)},
        {"task": "sing"},
        {"task": "translate"},
        {"prompt": "trains"},
        {"hotwords": ("trains",)},
    ],
    ids=str,
)
def test_why_no_engine_can_do_it_is_told_in_french(tmp_path, options):
    english = refusal(build_registry(tmp_path), **options)
    require_french(english)


def test_a_missing_language_is_asked_for_in_french():
    here = Path("somewhere")
    plain = type(
        "E",
        (),
        {
            "name": "plain",
            "capabilities": Capabilities(),
            "models": lambda _: [ModelInfo("fr", ("fr",), here), ModelInfo("it", ("it",), here)],
        },
    )()
    require_french(refusal(Registry([plain])))


@pytest.mark.parametrize(
    ("schema", "values"),
    [
        (CreateBatchJobForm(), {"language": 3, "priority": "x", "wordTimestamps": "x", "metadata": "[]", "foo": "1"}),
        (CreateBatchJobForm(), {"task": "x", "hotwords": "[1]", "numSpeakers": "2", "prompt": "x" * 5000}),
        (CreateBatchJobForm(), {"audioUrl": "ftp://x", "callbackUrl": "http://", "metadata": "{", "prompt": "\0"}),
        (CreateBatchJobForm(), {"audioUrl": "http://a:b@c", "hotwords": ["a" * 101], "metadata": '{"a": 1e999}'}),
        (CreateBatchJobForm(), {"hotwords": ",".join(map(str, range(501))), "metadata": '{"a": "' + "x" * 5000}),
        (JobsQuery(), {"limit": "0", "state": "x", "mode": "x", "page": "1", "q": None}),
        (JobsQuery(), {"limit": "x"}),
        (JobPatchBody(), {}),
        (JobPatchBody(), []),
        (JobPatchBody(), {"speakers": 3, "metadata": None}),
        (JobPatchBody(), {"speakers": {str(n): "x" for n in range(300)}}),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_field_is_told_in_french(schema, values):
    with pytest.raises(InvalidFields) as refused:
        load(schema, values)
    require_french(refused.value.errors)


def require_french(english: dict[str, list[str]]) -> None:
    french = catalogue.field_messages(english, Locale.FR)
    for field, messages in english.items():
        for said, translated in zip(messages, french[field], strict=True):
            assert translated != said
            words = set(translated.lower().replace("`", " ").replace("'", " ").split())
            assert not words & {"cannot", "the", "there", "must", "not", "but", "is", "are", "here"}, translated
