"""pyannote.audio 4: the most accurate diarization, with weights that Hugging Face gives to those who have a token."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

from app.audio.sound import RATE_HZ, Pcm
from app.domain.errors import EngineUnavailable
from app.domain.speaker_hints import SpeakerHints
from app.domain.speaker_turn import SpeakerTurn
from app.engines.base import Hardware, ModelInfo
from app.engines.diarization import DiarizationCapabilities, SoundStream, Watch
from app.engines.failures import while_loading, while_working
from app.engines.hardware import limit_threads
from app.engines.pyannote_weights import MODEL, PyannoteWeights
from app.engines.speaker_labels import in_order
from app.engines.torchaudio_guard import import_torchaudio

MIN_SAMPLES = RATE_HZ // 10
STEPS = {"segmentation": (0.05, 0.5), "embeddings": (0.5, 0.98)}
"""The steps that its hook tells the progress of, and about which part of the work they are."""


class PyannoteEngine:
    """Loads pipelines from `weights_dir/pyannote/<name>/`; with a token, fetches the known one when it is missing."""

    name: ClassVar[str] = "pyannote"
    capabilities: ClassVar[DiarizationCapabilities] = DiarizationCapabilities(devices=("cpu", "cuda"))

    def __init__(self, weights_dir: Path, token: str | None = None) -> None:
        self._weights = PyannoteWeights(weights_dir, token)

    def models(self) -> Sequence[ModelInfo]:
        """The known pipeline, which a token is as good as having, and whatever other pipelines are here."""
        here = self._weights.here()
        known = here.get(MODEL) or (self._weights.folder / MODEL if self._weights.can_fetch else None)
        others = (ModelInfo(name, (), path) for name, path in here.items() if name != MODEL)
        return [ModelInfo(MODEL, (), known), *others]

    def advice(self) -> str:
        """What is missing, and how to get it."""
        return self._weights.advice()

    def load(self, model: ModelInfo, hardware: Hardware) -> "PyannoteDiarizer":
        """Load a pipeline, after fetching it if it is not here.

        Raises:
            EngineUnavailable: it cannot be loaded, or the token is missing or refused.
            EngineError: it could not be fetched just now.
            OutOfMemory: it does not fit.
        """
        limit_threads(hardware)
        with while_loading(self.name, model.name):
            path = self._weights.here().get(model.name)
            if path is None and model.name == MODEL:
                path = self._weights.fetch()
            if path is None:
                raise EngineUnavailable(engine=self.name, reason=f"the weights of {model.name} are not on this machine")
            return PyannoteDiarizer(_loaded(path, hardware))


class PyannoteDiarizer:
    """A `Diarizer` over a loaded pipeline. It holds the whole recording in memory: 64 kB a second."""

    def __init__(self, pipeline: Any) -> None:
        self._pipeline = pipeline

    def diarize(self, sound: SoundStream, hints: SpeakerHints, watch: Watch) -> tuple[SpeakerTurn, ...]:
        """Who speaks when (see `Diarizer`)."""
        with while_working():
            pcm = gathered(sound, watch)
            found = in_order(self._turns(pcm, hints, watch)) if len(pcm) >= MIN_SAMPLES else ()
        watch.progress(1.0)
        return found

    def _turns(self, pcm: Pcm, hints: SpeakerHints, watch: Watch) -> Iterator[SpeakerTurn]:
        import torch

        recording = {"waveform": torch.from_numpy(pcm)[None], "sample_rate": RATE_HZ}
        told = self._pipeline(
            recording,
            hook=_Hook(watch),
            num_speakers=hints.n_speakers,
            min_speakers=hints.min_speakers,
            max_speakers=hints.max_speakers,
        )
        for segment, _, speaker in told.speaker_diarization.itertracks(yield_label=True):
            yield SpeakerTurn(max(0.0, segment.start), min(segment.end, len(pcm) / RATE_HZ), str(speaker))


class _Hook:
    """Tells a `Watch` what the pipeline tells its hook; ends the work when that is wanted."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def __call__(
        self, step: str, _artifact: Any, *, total: int | None = None, completed: int | None = None, **_more: Any
    ) -> None:
        self._watch.check()
        if step in STEPS and total and completed is not None:
            self._watch.part(*STEPS[step]).progress(min(1.0, float(completed / total)))


def gathered(sound: SoundStream, watch: Watch) -> Pcm:
    """All of the sound in one piece, shape (n,), with no second copy of it: the space grows where it stands."""
    import numpy as np

    pcm, n_samples = np.empty(int((sound.duration_s or 60) * RATE_HZ) + RATE_HZ, np.float32), 0
    for block in sound.blocks:
        watch.check()
        if n_samples + len(block) > len(pcm):
            pcm.resize(int((n_samples + len(block)) * 1.2), refcheck=False)
        pcm[n_samples : n_samples + len(block)] = np.clip(np.nan_to_num(block), -1.0, 1.0)
        n_samples += len(block)
    return pcm[:n_samples]


def _loaded(path: Path, hardware: Hardware) -> Any:
    # It would tell its makers about every recording.
    os.environ["PYANNOTE_METRICS_ENABLED"] = "0"
    import_torchaudio()
    import torch
    from pyannote.audio import Pipeline

    pipeline = Pipeline.from_pretrained(path)
    return pipeline.to(torch.device(hardware.device))
