"""Every engine listens live: those that can by themselves, the others window by window."""

from typing import cast

from app.engines.base import Hardware
from app.engines.registry import Choice
from app.engines.streaming import StreamingEngine, StreamingModel
from app.engines.windowed import WindowedModel


def open_streaming_model(choice: Choice, hardware: Hardware) -> StreamingModel:
    """Load the weights chosen, for any number of streams of this process. Slow; imports ML packages.

    Raises:
        EngineUnavailable: the weights cannot be loaded.
    """
    if choice.engine.capabilities.streams:
        return cast("StreamingEngine", choice.engine).load_streaming(choice.model, hardware)
    return WindowedModel(choice.engine.load(choice.model, hardware))
