"""What an engine does with one utterance, while it is being said."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Protocol

from app.audio.sound import Pcm
from app.domain.transcript import Segment, Word


@dataclass(frozen=True, slots=True)
class Said:
    """What an utterance was; times are seconds from its first sample. No text: nothing was said."""

    text: str = ""
    words: tuple[Word, ...] = ()
    confidence: float | None = None
    alternatives: tuple[tuple[str, float], ...] = ()

    @classmethod
    def of_words(cls, words: Sequence[Word], alternatives: tuple[tuple[str, float], ...] = ()) -> "Said":
        """As sure as its words are on average."""
        told = [word.confidence for word in words if word.confidence is not None]
        text = " ".join(word.word for word in words)
        return cls(text, tuple(words), fmean(told) if told else None, alternatives)

    def placed(self, start_s: float, end_s: float) -> Segment:
        """As a segment of a stream in which the utterance lies from `start_s` to `end_s`."""
        words = tuple(_placed(word, start_s, end_s) for word in self.words)
        first_s, last_s = (words[0].start_s, words[-1].end_s) if words else (start_s, end_s)
        return Segment(0, first_s, last_s, self.text, self.confidence, None, words)


class Hearing(Protocol):
    """Hears one utterance after the other; none may leave a trace in the next."""

    def begin(self) -> None:
        """An utterance begins."""

    def hear(self, pcm: Pcm) -> None:
        """The utterance goes on, in pieces that are always cut at the same places."""

    def hypothesis(self) -> str:
        """What seems to have been said so far. Asking has no influence on what is told in the end."""

    def conclude(self) -> Said:
        """The utterance is over: what it was."""

    def close(self) -> None:
        """Let go of everything, in the middle of an utterance too."""


def _placed(word: Word, start_s: float, end_s: float) -> Word:
    return Word(word.word, min(end_s, start_s + word.start_s), min(end_s, start_s + word.end_s), word.confidence)
