"""A pipeline over the engine that hears beeps, files of beeps for it, and one who watches."""

import wave
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from app.audio.sound import RATE_HZ, Pcm
from app.domain.peaks import Peaks
from app.domain.transcript import Segment
from app.engines.base import Hardware, TranscriptionEngine
from app.engines.registry import Registry
from app.services.transcription.checkpoint import PartResult
from app.services.transcription.limits import PipelineLimits
from app.services.transcription.pipeline import TranscriptionPipeline
from tests.sounds import EnergyVad


@dataclass
class Watcher:
    """An observer that remembers what it was told, and asks to stop after so many segments."""

    cancel_after: int | None = None
    durations: list[float] = field(default_factory=list)
    fractions: list[float] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    parts: list[PartResult] = field(default_factory=list)
    outlines: list[Peaks] = field(default_factory=list)

    def duration(self, duration_s: float) -> None:
        self.durations.append(duration_s)

    def progress(self, fraction: float) -> None:
        self.fractions.append(fraction)

    def segment(self, segment: Segment) -> None:
        self.segments.append(segment)

    def part_done(self, part: PartResult) -> None:
        self.parts.append(part)

    def drawn(self, peaks: Peaks) -> None:
        self.outlines.append(peaks)

    def cancelled(self) -> bool:
        return self.cancel_after is not None and len(self.segments) >= self.cancel_after


def pipeline_of(
    engine: TranscriptionEngine, *, part_s: float = 300.0, first_part_s: float = 30.0, n_warm_models: int = 1
) -> TranscriptionPipeline:
    """A pipeline with this engine alone."""
    limits = PipelineLimits(part_s=part_s, first_part_s=first_part_s, n_warm_models=n_warm_models)
    return TranscriptionPipeline(Registry([engine]), EnergyVad, Hardware(), limits)


def write_wav(path: Path, *sounds: Pcm) -> Path:
    """Write sounds one after the other (16 kHz, mono, 16 bits)."""
    samples = (np.concatenate(sounds) * 32767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(samples.tobytes())
    return path
