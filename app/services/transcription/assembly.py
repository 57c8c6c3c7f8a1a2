"""The pipeline, put together as this machine allows it."""

from dataclasses import dataclass, field
from pathlib import Path

from app.engines.hardware import find_hardware, limit_threads
from app.engines.registry import build_registry
from app.engines.silero import SileroVad
from app.services.transcription.limits import PipelineLimits
from app.services.transcription.pipeline import TranscriptionPipeline


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineSettings:
    """What a process that transcribes or diarizes must know; `n_processes` of its kind share the machine's cores."""

    weights_dir: Path
    hf_token: str | None = field(default=None, repr=False)
    device: str = "auto"
    n_processes: int = 1
    n_threads: int | None = None
    limits: PipelineLimits = field(default_factory=PipelineLimits)


def build_pipeline(settings: PipelineSettings) -> TranscriptionPipeline:
    """The pipeline; call it before anything imports an ML package, or threads fight for cores.

    Raises:
        EngineUnavailable: CUDA was asked for by name and there is none.
    """
    hardware = find_hardware(settings.device, settings.n_processes, settings.n_threads)
    limit_threads(hardware)
    return TranscriptionPipeline(build_registry(settings.weights_dir), SileroVad, hardware, settings.limits)
