"""Speakers told apart with what packages carry, without a hub: silero's voice activity, a voice encoder, clustering."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from app.domain.errors import EngineUnavailable
from app.engines.base import Hardware, ModelInfo
from app.engines.diarization import DiarizationCapabilities
from app.engines.embedded.wheel import CAMPPLUS, SEGMENTATION, weights, wheel_path
from app.engines.failures import while_loading
from app.engines.hardware import limit_threads

if TYPE_CHECKING:
    from app.engines.embedded.diarizer import EmbeddedDiarizer

CAMPPLUS_MODEL, RESEMBLYZER_MODEL = "campplus", "resemblyzer"
WEIGHTS = "pretrained.pt"


class EmbeddedEngine:
    """Diarization without any download while it runs."""

    name: ClassVar[str] = "embedded"
    capabilities: ClassVar[DiarizationCapabilities] = DiarizationCapabilities()

    def __init__(self, _weights_dir: Path) -> None:
        """`_weights_dir` is not used: the weights are in the environment."""

    def models(self) -> Sequence[ModelInfo]:
        """The better one, and one that does without the wheel of the other."""
        return [
            ModelInfo(CAMPPLUS_MODEL, (), wheel_path()),
            ModelInfo(RESEMBLYZER_MODEL, (), resemblyzer_path()),
        ]

    def advice(self) -> str:
        """What to do when there are no weights."""
        return (
            "Fetch its weights: `make run` does, or `pip install --no-deps -r requirements-nodeps.txt` for the model "
            f"{RESEMBLYZER_MODEL}."
        )

    def load(self, model: ModelInfo, hardware: Hardware) -> "EmbeddedDiarizer":
        """Load the networks.

        Raises:
            EngineUnavailable: the weights are not here, or damaged.
        """
        if model.path is None:
            raise EngineUnavailable(engine=self.name, reason=f"the weights of {model.name} are not installed")
        limit_threads(hardware)
        with while_loading(self.name, model.name):
            return _campplus(model.path) if model.name == CAMPPLUS_MODEL else _resemblyzer(model.path)


def _campplus(wheel: Path) -> "EmbeddedDiarizer":
    from app.engines.embedded.campplus import CamPlus
    from app.engines.embedded.campplus_voices import CamPlusVoices
    from app.engines.embedded.diarizer import EmbeddedDiarizer
    from app.engines.embedded.segmentation import Segmenter
    from app.engines.silero import SileroVad

    segmenter = Segmenter(weights(wheel, SEGMENTATION)["state_dict"])
    return EmbeddedDiarizer(CamPlusVoices(CamPlus(weights(wheel, CAMPPLUS))), SileroVad, segmenter)


def _resemblyzer(path: Path) -> "EmbeddedDiarizer":
    import torch

    from app.engines.embedded.diarizer import EmbeddedDiarizer
    from app.engines.embedded.resemblyzer import Resemblyzer
    from app.engines.silero import SileroVad

    state = torch.load(path, map_location="cpu", weights_only=True)["model_state"]
    return EmbeddedDiarizer(Resemblyzer(state), SileroVad)


def resemblyzer_path() -> Path | None:
    """Resemblyzer's weights inside the installed wheel, found without importing the package.

    Importing it would need webrtcvad, which comes without a wheel, and pkg_resources.
    """
    spec = find_spec("resemblyzer")
    paths = [Path(folder) / WEIGHTS for folder in (spec and spec.submodule_search_locations) or ()]
    return next((path for path in paths if path.is_file()), None)
