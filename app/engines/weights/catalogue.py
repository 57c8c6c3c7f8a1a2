"""Which engines' weights can be fetched, and what somebody who has none should fetch first."""

from collections.abc import Iterable

from app.engines.weights.hub_snapshots import HubSnapshots
from app.engines.weights.source import Source
from app.engines.weights.vosk_archives import VoskArchives
from app.engines.weights.whisper_checkpoints import WhisperCheckpoints

STARTERS = {"faster-whisper": "small", "whisper": "small", "vosk": "vosk-model-small-en-us-0.15"}
"""From `small` (0.5 GB) up Whisper is of use in most languages, and it keeps up with speech on two cores. Where the
starter cannot do what is asked, the lightest model that can is one."""
FETCHABLE = ("faster-whisper", "whisper", "vosk")


def sources(*, whisper_url: str, vosk_url: str) -> dict[str, Source]:
    """The sources by engine; the addresses may be those of a mirror."""
    made: tuple[Source, ...] = (HubSnapshots(), WhisperCheckpoints(whisper_url), VoskArchives(vosk_url))
    return {source.engine: source for source in made}


def starter(engine: str, models: Iterable[str]) -> str:
    """Which of an engine's `models` (best first, not empty) to fetch first."""
    named = list(models)
    return STARTERS[engine] if STARTERS.get(engine) in named else named[-1]
