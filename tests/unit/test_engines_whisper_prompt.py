"""What a client says about a recording, cut to the context there is for it."""

from hypothesis import given
from hypothesis import strategies as st

from app.engines.whisper_prompt import HOTWORD_TOKENS, PROMPT_TOKENS, fitted


def n_words(text):
    return len(text.split())


def test_short_texts_are_left_as_they_are():
    texts = fitted("  About rivers. ", ("Loire", " Allier ", ""), n_words)
    assert (texts.hotwords, texts.prompt) == ("Loire, Allier", "About rivers.")
    assert texts.folded == "Loire, Allier. About rivers."


def test_nothing_said_is_nothing():
    assert fitted(None, (), n_words).folded == ""


def test_each_stands_alone_when_the_other_is_missing():
    assert fitted(None, ("Loire",), n_words).folded == "Loire."
    assert fitted("About rivers.", (), n_words).folded == "About rivers."


def test_the_first_hotwords_are_kept():
    texts = fitted(None, [f"name{i}" for i in range(500)], n_words)
    kept = texts.hotwords.split(", ")
    assert kept == [f"name{i}" for i in range(HOTWORD_TOKENS)]


def test_the_end_of_the_prompt_is_kept():
    texts = fitted(" ".join(f"word{i}" for i in range(1000)), (), n_words)
    assert texts.prompt.endswith("word998 word999")
    assert PROMPT_TOKENS * 0.9 < n_words(texts.prompt) <= PROMPT_TOKENS


def test_a_script_without_spaces_is_cut_and_not_dropped():
    texts = fitted("会議は月曜日に始まります" * 100, (), len)
    assert 100 < len(texts.prompt) <= PROMPT_TOKENS
    assert texts.prompt.endswith("始まります")


@given(st.text(max_size=2000), st.lists(st.text(max_size=40), max_size=200))
def test_together_they_always_fit(prompt, hotwords):
    assert len(fitted(prompt, hotwords, len).folded) <= PROMPT_TOKENS
