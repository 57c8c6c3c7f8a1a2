"""The models that a child listens with: loaded once, shared by its sessions."""

from app.domain.job import JobOptions
from app.engines.base import Hardware
from app.engines.hardware import find_hardware, limit_threads
from app.engines.registry import Registry, build_registry
from app.engines.selection import select
from app.engines.streaming import StreamingModel
from app.engines.streaming_models import open_streaming_model
from config.worker import WorkerConfig

Key = tuple[str, str]


class LiveModels:
    """Streaming models by engine and model. They stay loaded: a session may want one at any moment."""

    def __init__(self, registry: Registry, hardware: Hardware) -> None:
        self._registry = registry
        self._hardware = hardware
        self._loaded: dict[Key, StreamingModel] = {}

    def get(self, options: JobOptions) -> StreamingModel:
        """The model that does what the options ask, loaded if it is not yet.

        Raises:
            InvalidFields: no engine here can do it.
            EngineUnavailable: the weights cannot be loaded.
        """
        choice = select(self._registry, options, live=True)
        key = (choice.engine.name, choice.model.name)
        if key not in self._loaded:
            self._loaded[key] = open_streaming_model(choice, self._hardware)
        return self._loaded[key]


def build_models(config: WorkerConfig) -> LiveModels:
    """None is loaded yet. Call it before anything imports an ML package, or threads fight for cores.

    Raises:
        EngineUnavailable: CUDA was asked for by name and there is none.
    """
    hardware = find_hardware(config.device, config.concurrency, config.engine_threads)
    limit_threads(hardware)
    return LiveModels(build_registry(config.weights_dir), hardware)
