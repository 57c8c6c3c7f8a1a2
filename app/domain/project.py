"""Projects as the services speak of them."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ProjectView:
    """A project. Times in seconds; None: as the settings say, infinity: for ever."""

    id: str
    name: str
    weight: float
    retention_s: float | None
    audio_retention_s: float | None
    created_at: datetime
