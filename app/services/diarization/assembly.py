"""The diarization pipeline, put together as this machine allows it."""

from app.engines.diarizers import build_diarizers
from app.engines.hardware import find_hardware, limit_threads
from app.engines.silero import SileroVad
from app.services.diarization.pipeline import DiarizationPipeline
from app.services.transcription.assembly import PipelineSettings


def build_diarization_pipeline(settings: PipelineSettings) -> DiarizationPipeline:
    """The pipeline; call it before anything imports an ML package, or threads fight for cores.

    Raises:
        EngineUnavailable: CUDA was asked for by name and there is none.
    """
    hardware = find_hardware(settings.device, settings.n_processes, settings.n_threads)
    limit_threads(hardware)
    diarizers = build_diarizers(settings.weights_dir, settings.hf_token)
    return DiarizationPipeline(diarizers, SileroVad, hardware, settings.limits)
