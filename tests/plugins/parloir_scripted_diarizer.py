"""A diarization engine that does what its model's name says; found by the service as any plug-in is.

Models: `halves` (the first speaker until the middle, then the second), `overlap` (both speak in the middle), `one`,
`nobody`, `slow` (like `halves`, after two seconds of work that can be stopped), `crash` (SIGSEGV),
`crash-once` (only if no run was before), `fail` (an error that a retry can help), `refuse` (one that it cannot).
Each run adds a line with its hints to the file that SCRIPTED_DIARIZER_LOG names.
"""

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from app.audio.sound import RATE_HZ
from app.domain.errors import EngineError, EngineUnavailable
from app.domain.speaker_hints import SpeakerHints
from app.domain.speaker_turn import SpeakerTurn
from app.engines.base import Hardware, ModelInfo
from app.engines.diarization import DiarizationCapabilities, SoundStream, Watch

MODELS = ("halves", "overlap", "one", "nobody", "slow", "crash", "crash-once", "fail", "refuse")
FIRST, SECOND = "SPEAKER_00", "SPEAKER_01"


class ScriptedDiarizer:
    """Tells speakers apart by the clock."""

    def __init__(self, script: str) -> None:
        self._script = script

    def diarize(self, sound: SoundStream, hints: SpeakerHints, watch: Watch) -> Sequence[SpeakerTurn]:
        n_before = note(f"{hints.n_speakers},{hints.min_speakers},{hints.max_speakers}")
        act(self._script, n_before, watch)
        n_samples = 0
        for block in sound.blocks:
            n_samples += len(block)
            watch.progress(min(1.0, n_samples / RATE_HZ / (sound.duration_s or 1.0)))
        end_s = n_samples / RATE_HZ
        return turns(self._script, end_s)


def turns(script: str, end_s: float) -> list[SpeakerTurn]:
    middle_s = end_s / 2
    match script:
        case "nobody":
            return []
        case "one":
            return [SpeakerTurn(0.0, end_s, FIRST)]
        case "overlap":
            return [SpeakerTurn(0.0, middle_s + 1, FIRST), SpeakerTurn(middle_s - 1, end_s, SECOND)]
        case _:
            return [SpeakerTurn(0.0, middle_s, FIRST), SpeakerTurn(middle_s, end_s, SECOND)]


def act(script: str, n_before: int, watch: Watch) -> None:
    """Misbehave as asked."""
    match script:
        case "slow":
            for _ in range(20):
                watch.check()
                time.sleep(0.1)
        case "crash-once" if n_before:
            return
        case "crash" | "crash-once":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "fail":
            raise EngineError(reason="scripted")
        case "refuse":
            raise EngineUnavailable(engine="scripted", reason="scripted")


def note(line: str) -> int:
    """Write the line down; how many there were before."""
    path = Path(os.environ["SCRIPTED_DIARIZER_LOG"])
    before = path.read_text(encoding="ascii").splitlines() if path.exists() else []
    path.write_text("".join(f"{one}\n" for one in [*before, line]), encoding="ascii")
    return len(before)


class ScriptedDiarizationEngine:
    """All its models are always here."""

    name: ClassVar[str] = "scripted"
    capabilities: ClassVar[DiarizationCapabilities] = DiarizationCapabilities()

    def __init__(self, weights_dir: Path) -> None:
        self._weights_dir = weights_dir

    def models(self) -> Sequence[ModelInfo]:
        return [ModelInfo(name, (), self._weights_dir) for name in MODELS]

    def advice(self) -> str:
        return ""

    def load(self, model: ModelInfo, hardware: Hardware) -> ScriptedDiarizer:
        return ScriptedDiarizer(model.name)
