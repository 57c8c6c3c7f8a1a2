"""Speakers told apart with what the wheels carry: silero's voice activity, Resemblyzer's vectors, clustering."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from app.domain.errors import EngineUnavailable
from app.engines.base import Hardware, ModelInfo
from app.engines.diarization import DiarizationCapabilities
from app.engines.failures import while_loading
from app.engines.hardware import limit_threads

if TYPE_CHECKING:
    from app.engines.embedded.diarizer import EmbeddedDiarizer

MODEL = "resemblyzer"
WEIGHTS = "pretrained.pt"


class EmbeddedEngine:
    """Diarization without any download."""

    name: ClassVar[str] = "embedded"
    capabilities: ClassVar[DiarizationCapabilities] = DiarizationCapabilities(overlaps=False)

    def __init__(self, _weights_dir: Path) -> None:
        """`_weights_dir` is not used: the weights are in the wheel."""

    def models(self) -> Sequence[ModelInfo]:
        """The one model in the wheel."""
        return [ModelInfo(MODEL, (), weights_path())]

    def advice(self) -> str:
        """What to do when the wheel is missing."""
        return (
            "Install the package resemblyzer: `make run` does, or `pip install --no-deps -r requirements-nodeps.txt`."
        )

    def load(self, model: ModelInfo, hardware: Hardware) -> "EmbeddedDiarizer":
        """Load the speaker encoder.

        Raises:
            EngineUnavailable: the package is not installed, or damaged.
        """
        if model.path is None:
            raise EngineUnavailable(engine=self.name, reason="the package resemblyzer is not installed")
        limit_threads(hardware)
        with while_loading(self.name, model.name):
            from app.engines.embedded.diarizer import EmbeddedDiarizer
            from app.engines.embedded.encoder import Encoder
            from app.engines.silero import SileroVad

            return EmbeddedDiarizer(Encoder(model.path), SileroVad)


def weights_path() -> Path | None:
    """The encoder's weights inside the installed wheel, found without importing the package.

    Importing it would need webrtcvad, which comes without a wheel, and pkg_resources.
    """
    spec = find_spec("resemblyzer")
    paths = [Path(folder) / WEIGHTS for folder in (spec and spec.submodule_search_locations) or ()]
    return next((path for path in paths if path.is_file()), None)
