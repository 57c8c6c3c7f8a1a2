"""Any engine, made live."""

from app.engines.base import Hardware
from app.engines.registry import Choice
from app.engines.streaming import StreamingModel


def open_streaming_model(choice: Choice, hardware: Hardware) -> StreamingModel:
    """The streaming model of an engine."""
    model: StreamingModel = choice.engine.load_streaming(choice.model, hardware)  # type: ignore[attr-defined]
    return model
