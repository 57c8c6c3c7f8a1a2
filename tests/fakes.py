"""An engine that hears beeps: each pitch is a word, so that what it says follows from the sound alone.

It keeps the same promises as the real engines (it goes through the same conformance suite) and notes what it was
given, so that a test can tell which sound was decoded, and how often.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import ClassVar

import numpy as np

from app.audio.sound import RATE_HZ, Pcm, Span, SpanPolicy
from app.domain.transcript import Segment, Word
from app.engines.base import Capabilities, EngineOptions, Hardware, ModelInfo

PITCHES_HZ = {"do": 400, "re": 500, "mi": 600, "fa": 700, "sol": 800, "la": 900, "ut": 1200, "ton": 1400}
FRENCH = {"ut", "ton"}
BEEP_S = 0.4
GAP_S = 0.2
FRAME = RATE_HZ // 100
MIN_FRAMES = 5
LOUD = 0.02


def beep(word: str, duration_s: float = BEEP_S) -> Pcm:
    """A word of the beep language, shape (n,)."""
    at_s = np.arange(int(duration_s * RATE_HZ)) / RATE_HZ
    return (0.4 * np.sin(2 * np.pi * PITCHES_HZ[word] * at_s)).astype(np.float32)


def beeps(text: str, gap_s: float = GAP_S) -> Pcm:
    """Some words with gaps between."""
    gap = np.zeros(int(gap_s * RATE_HZ), np.float32)
    pieces = [piece for word in text.split() for piece in (gap, beep(word))]
    return np.concatenate(pieces[1:])


def quiet(duration_s: float) -> Pcm:
    """Digital silence."""
    return np.zeros(int(duration_s * RATE_HZ), np.float32)


@dataclass
class BeepTranscriber:
    """Notes in `heard` every span it decodes, in the samples of the sound it was given."""

    language: str | None = None
    heard: list[Span] = field(default_factory=list)
    asked: list[EngineOptions] = field(default_factory=list)
    n_detections: int = 0

    @property
    def heard_s(self) -> float:
        """Seconds of sound decoded in all."""
        return sum(span.n_samples for span in self.heard) / RATE_HZ

    def detect_language(self, pcm: Pcm) -> str | None:
        self.n_detections += 1
        words = {word.word for word in _words(pcm, Span(0, len(pcm)))}
        return ("fr" if words & FRENCH else "en") if words else None

    def transcribe(self, pcm: Pcm, spans: Sequence[Span], options: EngineOptions) -> Iterator[Segment]:
        self.asked.append(options)
        for span in spans:
            self.heard.append(span)
            words = tuple(_words(pcm, span))
            if words:
                text = " ".join(word.word for word in words)
                kept = words if options.word_timestamps else ()
                yield Segment(7, words[0].start_s, words[-1].end_s, text, 0.9, None, kept)


class BeepEngine:
    """Its one model is always here; `transcriber` is what was loaded last."""

    name: ClassVar[str] = "beep"
    capabilities: ClassVar[Capabilities] = Capabilities(
        detects_language=True, prompt=True, hotwords=True, spans=SpanPolicy(max_s=10.0, pad_s=0.2)
    )

    def __init__(self) -> None:
        self.n_loads = 0
        self.transcriber = BeepTranscriber()

    def models(self) -> Sequence[ModelInfo]:
        return [ModelInfo("v1", (), Path(__file__)), ModelInfo("v2", (), Path(__file__))]

    def load(self, _model: ModelInfo, _hardware: Hardware) -> BeepTranscriber:
        self.n_loads += 1
        self.transcriber = BeepTranscriber()
        return self.transcriber


def _words(pcm: Pcm, span: Span) -> Iterator[Word]:
    sound = pcm[span.start : span.end]
    n_frames = len(sound) // FRAME
    frames = sound[: n_frames * FRAME].reshape(n_frames, FRAME)
    is_loud = np.sqrt((frames**2).mean(axis=1)) > LOUD
    for loud, run in groupby(range(n_frames), key=lambda at: bool(is_loud[at])):
        at = list(run)
        if loud and len(at) >= MIN_FRAMES:
            yield _word(sound[at[0] * FRAME : (at[-1] + 1) * FRAME], span.start + at[0] * FRAME)


def _word(sound: Pcm, start: int) -> Word:
    loudness = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    pitch_hz = float(np.argmax(loudness)) * RATE_HZ / len(sound)
    word = min(PITCHES_HZ, key=lambda name: abs(PITCHES_HZ[name] - pitch_hz))
    return Word(word, start / RATE_HZ, (start + len(sound)) / RATE_HZ, 0.9)
