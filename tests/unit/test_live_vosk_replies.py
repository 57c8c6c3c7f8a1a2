"""vosk-server's answers, and what its clients configure."""

import json

import pytest

from app.controllers.vosk_replies import final_reply, parsed, partial_reply
from app.domain.errors import InvalidFields
from app.schemas.loading import load
from app.schemas.vosk import VoskConfig
from app.services.streaming.told import SaidFinal


def said(text: str, seq: int = 1, alternatives=()) -> SaidFinal:
    words = [{"word": word, "start": 0.1, "end": 0.2, "confidence": None, "speaker": None} for word in text.split()]
    return SaidFinal(seq, {"text": text, "confidence": 0.5, "words": words}, alternatives=alternatives)


def reply(*finals: SaidFinal, words: bool = True, n: int = 0) -> dict:
    return json.loads(final_reply(finals, with_words=words, max_alternatives=n))


def test_a_final_has_words_in_vosks_names_and_a_number_for_each_confidence():
    assert reply(said("one")) == {"result": [{"conf": 1.0, "start": 0.1, "end": 0.2, "word": "one"}], "text": "one"}


def test_several_utterances_in_one_message_are_one_answer():
    told = reply(said("one"), said("two three", 2))
    assert (told["text"], len(told["result"])) == ("one two three", 3)


def test_nothing_said_is_empty_text():
    assert reply() == {"text": ""}
    assert reply(n=2) == {"alternatives": [{"confidence": 1.0, "text": ""}]}
    assert json.loads(partial_reply("")) == {"partial": ""}


def test_alternatives_are_no_more_than_asked():
    final = said("one", alternatives=(("one", 0.9), ("won", 0.5), ("wan", 0.1)))
    assert reply(final, n=2) == {
        "alternatives": [{"confidence": 0.9, "text": "one"}, {"confidence": 0.5, "text": "won"}]
    }


@pytest.mark.parametrize("text", ['{"eof" : 1}', '{"eof":1}', '{ "eof": true }'])
def test_json_is_parsed_not_compared(text):
    assert parsed(text).is_eof


@pytest.mark.parametrize("text", ["", "eof", "[1]", '{"config": 3}', "{" * 99_999])
def test_what_is_none_of_the_protocol_is_not_understood(text):
    assert parsed(text) is None


@pytest.mark.parametrize(("given", "rate"), [(16000, 16000), (16000.0, 16000), ("8000", 8000), (44100.4, 44100)])
def test_rates_may_be_any_kind_of_number(given, rate):
    assert load(VoskConfig(), {"sample_rate": given}).spec.rate_hz == rate


@pytest.mark.parametrize("given", ["fast", None, 100, 1e12, "nan"])
def test_rates_that_are_none_are_refused(given):
    with pytest.raises(InvalidFields):
        load(VoskConfig(), {"sample_rate": given})


def test_a_rate_that_is_never_said_is_8000_and_what_is_not_known_is_passed_over():
    form = load(VoskConfig(), {"phrase_list": ["one", "two"], "show_words": 1})
    assert (form.spec.rate_hz, form.options.hotwords, form.spec.lockstep) == (8_000, ("one", "two"), True)
