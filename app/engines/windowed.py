"""Any transcriber made live: it hears the utterance so far again and again, and the whole of it in the end."""

import time
from statistics import fmean

import numpy as np

from app.audio.sound import RATE_HZ, Pcm, Span
from app.domain.transcript import Segment
from app.engines.agreement import Agreement
from app.engines.base import EngineOptions, Transcriber
from app.engines.endpointed import EndpointedRecognizer
from app.engines.hearing import Said
from app.engines.streaming import StreamingRecognizer, StreamOptions

MIN_SHARE_S = 0.5
"""A hypothesis is made of at least this much new sound …"""
SHARE = 3.0
"""… and of this many times what the last one took: most of the time is for other streams, and for finals."""


class WindowedModel:
    """A `StreamingModel` over a loaded `Transcriber`, which serves one utterance at a time."""

    def __init__(self, transcriber: Transcriber) -> None:
        self._transcriber = transcriber
        self.language = transcriber.language

    def open(self, options: StreamOptions) -> StreamingRecognizer:
        """See `StreamingModel`."""
        return EndpointedRecognizer(WindowedHearing(self._transcriber, options), options)


class WindowedHearing:
    """A `Hearing` that keeps the sound of the utterance; the recogniser bounds its length."""

    def __init__(self, transcriber: Transcriber, options: StreamOptions) -> None:
        self._transcriber = transcriber
        self._options = options
        self.begin()

    def begin(self) -> None:
        """See `Hearing`."""
        self._sound: list[Pcm] = []
        self._n_samples = self._n_tried = 0
        self._agreement = Agreement()
        self._text = ""
        self._took_s = 0.0
        self._language = self._options.language

    def hear(self, pcm: Pcm) -> None:
        """See `Hearing`."""
        self._sound.append(pcm)
        self._n_samples += len(pcm)

    def hypothesis(self) -> str:
        """See `Hearing`; the same as before if it is too early to try again."""
        new_s = (self._n_samples - self._n_tried) / RATE_HZ
        if new_s < max(MIN_SHARE_S, SHARE * self._took_s):
            return self._text
        started = time.monotonic()
        self._text = self._agreement.update(self._try())
        self._took_s = time.monotonic() - started
        self._n_tried = self._n_samples
        return self._text

    def _try(self) -> str:
        """A language that was not asked for is judged once for all hypotheses; the final judges it anew."""
        pcm = np.concatenate(self._sound)
        self._language = self._language or self._transcriber.detect_language(pcm)
        return _said(self._transcribed(pcm, self._language, words=False)).text

    def conclude(self) -> Said:
        """See `Hearing`."""
        said = _said(self._transcribed(np.concatenate(self._sound), self._options.language, words=True))
        self.begin()
        return said

    def close(self) -> None:
        """See `Hearing`."""
        self.begin()

    def _transcribed(self, pcm: Pcm, language: str | None, *, words: bool) -> list[Segment]:
        asked = EngineOptions(language=language, hotwords=self._options.hotwords, word_timestamps=words)
        return list(self._transcriber.transcribe(pcm, [Span(0, len(pcm))], asked))


def _said(segments: list[Segment]) -> Said:
    told = [segment.confidence for segment in segments if segment.confidence is not None]
    return Said(
        text=" ".join(segment.text for segment in segments),
        words=tuple(word for segment in segments for word in segment.words),
        confidence=fmean(told) if told else None,
    )
