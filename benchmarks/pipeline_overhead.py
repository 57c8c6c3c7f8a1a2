"""What the service adds to the engine: a job's wall time over the engine's alone, on the same minute of sound.

The engine alone is the same adapter with its model loaded, given the same spans of the same sound, decoded before the
clock starts. The two take turns.
"""

import argparse
import tempfile
import time
import wave
from datetime import datetime
from pathlib import Path

import numpy as np

from app.audio.parts import cut_parts
from app.audio.regions import RegionSettings
from app.audio.sound import RATE_HZ, Pcm
from app.audio.spans import spans
from app.engines.base import EngineOptions, Hardware
from app.engines.pocketsphinx import PocketsphinxEngine
from app.engines.silero import SileroVad
from benchmarks.embedded_wer import references, sound
from benchmarks.report import heading, percentile, row
from benchmarks.service import ROOT, Service, running


class EngineAlone:
    """The embedded engine with the spans of one recording."""

    def __init__(self, pcm: Pcm) -> None:
        engine = PocketsphinxEngine(ROOT)
        policy = engine.capabilities.spans
        settings = RegionSettings.before_spans(policy)
        (self._part,) = cut_parts([pcm], SileroVad(), target_s=600, max_s=600, settings=settings)
        self._spans = spans(self._part.regions, policy, len(pcm), strengths=self._part.probabilities)
        self._transcriber = engine.load(engine.models()[0], Hardware())
        self.seconds()

    def seconds(self) -> float:
        """Wall time of one pass."""
        started = time.monotonic()
        list(self._transcriber.transcribe(self._part.pcm, self._spans, EngineOptions(language="en")))
        return time.monotonic() - started


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    pcm = a_minute()
    alone = EngineAlone(pcm)
    with tempfile.TemporaryDirectory() as folder, running(DEFAULT_ENGINE="pocketsphinx") as service:
        path = write(Path(folder) / "minute.wav", pcm)
        job_seconds(service, path)
        pairs = [(job_seconds(service, path), alone.seconds()) for _ in range(asked.rounds)]
    heading("What the pipeline adds, 60 s of speech")
    print("| figure | measured | target |\n|---|---|---|")
    row("the job, median", f"{percentile([job for job, _ in pairs], 0.5):.2f} s")
    row("the engine alone, median", f"{percentile([engine for _, engine in pairs], 0.5):.2f} s")
    row("ratio, median of pairs", f"{percentile([job / engine for job, engine in pairs], 0.5):.3f}", "≤ 1.05")


def a_minute() -> Pcm:
    """The demo recordings one after the other, for 60 s."""
    said = [sound(path) for path in sorted(references(ROOT / "assets" / "demo"))]
    return np.resize(np.concatenate(said), 60 * RATE_HZ).astype(np.float32)


def write(path: Path, pcm: Pcm) -> Path:
    """As a WAV file."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes((pcm * 32767).astype("<i2").tobytes())
    return path


def job_seconds(service: Service, path: Path) -> float:
    """Wall time of one job, from its claim to its end, as the service tells it."""
    done = service.result(service.submit(path))
    started, finished = (datetime.fromisoformat(done[key]) for key in ("started_at", "finished_at"))
    return (finished - started).total_seconds()


if __name__ == "__main__":
    main()
