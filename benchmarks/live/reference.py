"""When an engine alone says its finals, if 100 ms of sound come every 100 ms and nothing stands around it.

`python -m benchmarks.live.reference ENGINE SOUND SECONDS`. It waits for each chunk as for a speaker: an engine
that is given one after the other finds the processor awake and its memory in the cache, and is quicker than any that
listens live. A chunk that comes while the one before is still worked on waits for it, as it must in any service. Prints
one JSON list of [end of the final in the sound, its delay in ms from the sending of the chunk that this end lies in]:
the engine's own time and the endpoint silence.
"""

import json
import math
import os
import sys
import time
from pathlib import Path

import numpy as np

from app.audio.sound import RATE_HZ
from app.domain.job import JobOptions
from app.engines.base import Hardware
from app.engines.registry import build_registry
from app.engines.selection import select
from app.engines.streaming import StreamOptions, Utterance
from app.engines.streaming_models import open_streaming_model
from benchmarks.live.talker import CHUNK_S, Load, read_sound

LANGUAGE = "en"
WARM_S = 6.0


def delays(engine: str, load: Load) -> list[tuple[float, float]]:
    """The finals of the load's one client, as said above."""
    registry = build_registry(Path(os.environ["WEIGHTS_DIR"]))
    choice = select(registry, JobOptions(engine=engine, language=LANGUAGE), live=True)
    model = open_streaming_model(choice, Hardware(n_threads=1))
    for is_warm in (False, True):
        recognizer = model.open(StreamOptions(language=LANGUAGE))
        finals, began_s = [], time.monotonic()
        for index in range(int((load.seconds if is_warm else min(load.seconds, WARM_S)) / CHUNK_S)):
            time.sleep(max(0.0, began_s + index * CHUNK_S - time.monotonic()))
            heard = recognizer.accept(np.frombuffer(load.chunk(index), "<i2").astype(np.float32) / 32768)
            done_s = time.monotonic() - began_s
            finals += [_delay(one, done_s) for one in heard if isinstance(one, Utterance)]
    return finals


def _delay(said: Utterance, done_s: float) -> tuple[float, float]:
    end_s = said.segment.end_s
    return end_s, 1000 * (done_s - (math.ceil(round(end_s / CHUNK_S, 3)) - 1) * CHUNK_S)


if __name__ == "__main__":
    sound, rate_hz = read_sound(Path(sys.argv[2]))
    assert rate_hz == RATE_HZ
    print(json.dumps(delays(sys.argv[1], Load("", sound, rate_hz, 1, float(sys.argv[3]), 0.0))))
