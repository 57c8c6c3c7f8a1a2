"""What the two Whisper engines have in common: from a request to decoded spans.

The engines differ in the library that runs the net; that part is a `WhisperNet`. Everything a client can notice is
here, so that both behave alike.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from operator import itemgetter
from typing import Protocol

from app.audio.sound import RATE_HZ, Pcm, Span
from app.domain.errors import EngineUnavailable
from app.domain.transcript import Segment
from app.engines.base import EngineOptions
from app.engines.failures import while_working
from app.engines.language import standard_subtag, whisper_code
from app.engines.whisper_models import translates
from app.engines.whisper_prompt import PromptTexts, fitted
from app.engines.whisper_segments import Decoded, placed

MIN_SPAN_S = 0.1
"""The shortest words last twice as long."""
DETECTION_S = 30.0
"""One window: what Whisper judges a language by."""
BEAM_SIZE = 5
BEST_OF = 5
"""Both as in the Whisper paper: hypotheses kept while searching, and samples drawn when that fails."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request in Whisper's terms; `language` is one of its codes."""

    language: str
    task: str
    texts: PromptTexts
    word_timestamps: bool


class WhisperNet(Protocol):
    """Loaded weights and the library that runs them; raises whatever that library raises."""

    languages: frozenset[str]
    """Codes of the languages it knows; one alone for English weights."""
    batch_size: int
    """How many clips it gains from decoding at once."""

    def detect(self, clip: Pcm) -> str:
        """The code of the language spoken at the start of the clip; only asked of multilingual weights."""

    def n_tokens(self, text: str) -> int:
        """How much of the context a text takes."""

    def decode(self, clips: Sequence[Pcm], asked: Asked) -> Iterator[tuple[int, Decoded]]:
        """What is said, as it comes: the clip's index, ascending, and a segment with times from its start."""


class WhisperTranscriber:
    """A `Transcriber` over either library."""

    def __init__(self, engine: str, model: str, net: WhisperNet) -> None:
        self._engine = engine
        self._model = model
        self._net = net
        self.language = "en" if net.languages == {"en"} else None

    def detect_language(self, pcm: Pcm) -> str | None:
        """The language spoken in the first 30 s, as a primary subtag; None where there is no sound."""
        if self.language or not len(pcm):
            return self.language
        with while_working():
            return standard_subtag(self._net.detect(_clip(pcm, Span(0, len(pcm)))))

    def transcribe(self, pcm: Pcm, spans: Sequence[Span], options: EngineOptions) -> Iterator[Segment]:
        """Decode span by span, each on its own.

        Earlier text is not given to the net as context: once it has slipped into a loop, its own text would keep
        it there. A language not asked for is judged once, by the first half minute of speech, so that one odd span
        cannot change it.

        Raises:
            EngineError: the net failed on this sound.
            EngineUnavailable: these weights know neither the language nor how to translate from it.
        """
        usable = (span for span in _inside(spans, len(pcm)) if span.n_samples >= MIN_SPAN_S * RATE_HZ)
        asked: Asked | None = None
        with while_working():
            while group := list(islice(usable, self._net.batch_size)):
                asked = asked or self._asked(pcm, spans, options)
                yield from self._decoded(pcm, group, asked)

    def _decoded(self, pcm: Pcm, group: Sequence[Span], asked: Asked) -> Iterator[Segment]:
        found = self._net.decode([_clip(pcm, span) for span in group], asked)
        for index, pieces in groupby(found, itemgetter(0)):
            yield from placed((decoded for _, decoded in pieces), group[index])

    def _asked(self, pcm: Pcm, spans: Sequence[Span], options: EngineOptions) -> Asked:
        language = self._language(pcm, spans, options.language)
        return Asked(
            language=language,
            task=self._task(options.task, language),
            texts=fitted(options.prompt, options.hotwords, self._net.n_tokens),
            word_timestamps=options.word_timestamps,
        )

    def _language(self, pcm: Pcm, spans: Sequence[Span], asked: str | None) -> str:
        if asked is None:
            return self.language or self._net.detect(_speech(pcm, spans))
        code = whisper_code(asked)
        if code not in self._net.languages:
            raise EngineUnavailable(engine=self._engine, reason=f"{self._model} does not know the language {asked}")
        return code

    def _task(self, task: str, language: str) -> str:
        if language == "en":
            return "transcribe"  # English needs no translation into English, and no net was taught to make one
        if task == "translate" and not translates(self._model):
            raise EngineUnavailable(engine=self._engine, reason=f"{self._model} was not trained to translate")
        return task


def _inside(spans: Iterable[Span], n_samples: int) -> Iterator[Span]:
    return (Span(max(0, span.start), min(span.end, n_samples)) for span in spans)


def _clip(pcm: Pcm, span: Span) -> Pcm:
    """A copy of the span: the libraries want memory in one piece that may be written to.

    A single sample that is no number would spoil the spectrogram of the whole window, and its words with it.
    """
    import numpy as np

    sound = np.nan_to_num(pcm[span.start : span.end], nan=0.0, posinf=1.0, neginf=-1.0)
    return np.clip(sound, -1.0, 1.0).astype(np.float32)


def _speech(pcm: Pcm, spans: Sequence[Span]) -> Pcm:
    """The first half minute of what lies within the spans."""
    import numpy as np

    left = int(DETECTION_S * RATE_HZ)
    clips: list[Pcm] = []
    for span in _inside(spans, len(pcm)):
        clips.append(_clip(pcm, Span(span.start, min(span.end, span.start + left))))
        left -= len(clips[-1])
        if left <= 0:
            break
    return np.concatenate(clips)
