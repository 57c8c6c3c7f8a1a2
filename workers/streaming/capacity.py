"""How many sessions a child can listen to: measured, by letting the usual engine hear a known recording."""

import time
from pathlib import Path

import numpy as np
import structlog

from app.audio.decode import decode
from app.audio.sound import RATE_HZ, Pcm
from app.domain.errors import ParloirError
from app.domain.job import JobOptions
from app.engines.selection import AUTO
from app.engines.streaming import StreamOptions
from config.worker import WorkerConfig
from workers.streaming.models import LiveModels

log = structlog.get_logger(__name__)

RECORDINGS = Path(__file__).resolve().parents[2] / "assets" / "demo"
MEASURED_S = 8.0
CHUNK = RATE_HZ // 10
USED = 0.7
"""Share of a core that may be spoken for: speech is not even, and words must not wait for those of others."""

OWN = 0.01
"""Share of a core that each session takes beside its engine, in the API, Redis and here: 6 to 11 ms a second of sound.

An engine that costs hardly anything would else be given more than twice of what the cores bear."""

MOST = 400


def measured_slots(models: LiveModels, config: WorkerConfig) -> int:
    """Sessions that one core can bear with the usual engine: at least 1, also where it cannot be measured."""
    engine = None if config.default_engine == AUTO else config.default_engine
    try:
        factor = _real_time_factor(models, JobOptions(engine=engine, language=config.default_language))
    except ParloirError as error:
        log.warning("capacity_not_measured", reason=error.message)
        return 1
    n_slots = max(1, min(MOST, int(USED / (factor + OWN))))
    log.info("capacity_measured", real_time_factor=round(factor, 4), slots=n_slots)
    return n_slots


def _real_time_factor(models: LiveModels, options: JobOptions) -> float:
    """Processor time over the length of the sound, once the engine is warm."""
    pcm = _known_sound()
    recognizer = models.get(options).open(StreamOptions(language=options.language))
    recognizer.accept(pcm[:RATE_HZ])
    begun = time.process_time()
    for at in range(RATE_HZ, len(pcm), CHUNK):
        recognizer.accept(pcm[at : at + CHUNK])
    recognizer.finish()
    spent_s = time.process_time() - begun
    recognizer.close()
    return spent_s / ((len(pcm) - RATE_HZ) / RATE_HZ)


def _known_sound() -> Pcm:
    recording = min(RECORDINGS.glob("*.flac"))
    with decode(recording) as decoding:
        pcm = np.concatenate(list(decoding))
    return np.resize(pcm, int(MEASURED_S * RATE_HZ))
