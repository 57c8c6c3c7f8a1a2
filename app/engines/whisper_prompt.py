"""Fits what a client says about a recording into the part of Whisper's context that is meant for it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

PROMPT_TOKENS = 223
"""Half of the 448 tokens of context, less one: what Whisper keeps for earlier text; the rest is for the answer."""
HOTWORD_TOKENS = PROMPT_TOKENS // 2

TokenCounter = Callable[[str], int]


@dataclass(frozen=True, slots=True)
class PromptTexts:
    """Text to set before the recording, each empty if there is none; together they fit."""

    hotwords: str = ""
    prompt: str = ""

    @property
    def folded(self) -> str:
        """Both as one, for an engine that knows no hotwords: read as if it had been said before."""
        return " ".join(filter(None, (f"{self.hotwords}." if self.hotwords else "", self.prompt)))


def fitted(prompt: str | None, hotwords: Sequence[str], n_tokens: TokenCounter) -> PromptTexts:
    """The first hotwords and the end of the prompt, as much as fits.

    Both libraries cut too long a prompt by themselves, but faster-whisper cuts each part on its own: together they
    run past the end of the context, and it fails.
    """
    names = _first_that_fit(hotwords, n_tokens)
    room = PROMPT_TOKENS - (n_tokens(f" {names}. ") if names else 0)
    return PromptTexts(names, _end_that_fits((prompt or "").strip(), room, n_tokens))


def _first_that_fit(hotwords: Sequence[str], n_tokens: TokenCounter) -> str:
    kept: list[str] = []
    for word in filter(None, map(str.strip, hotwords)):
        if n_tokens(", ".join([*kept, word])) > HOTWORD_TOKENS:
            break
        kept.append(word)
    return ", ".join(kept)


def _end_that_fits(prompt: str, room: int, n_tokens: TokenCounter) -> str:
    while prompt and n_tokens(f" {prompt}") > room:
        # Cut by characters: not every script puts spaces between words.
        prompt = prompt[max(1, len(prompt) // 16) :].lstrip()
    return prompt
