"""Finds out which language is spoken, once a recording, by its first speech."""

from collections.abc import Sequence

import numpy as np

from app.audio.sound import RATE_HZ, Pcm, Span
from app.engines.base import Transcriber

LONGEST_S = 30.0
"""What engines judge by; more is not heard."""
SHORTEST_S = 2.0
"""A cough that passed for speech shall not decide for a whole recording."""


def detected_language(transcriber: Transcriber, pcm: Pcm, spans: Sequence[Span], *, is_last: bool) -> str | None:
    """The language (primary subtag); None if the engine cannot tell, or there is too little to go by yet."""
    speech = _speech(pcm, spans)
    if len(speech) < SHORTEST_S * RATE_HZ and not is_last:
        return None
    return transcriber.detect_language(speech)


def _speech(pcm: Pcm, spans: Sequence[Span]) -> Pcm:
    """The first of what lies within the spans."""
    clips, n_left = [pcm[:0]], int(LONGEST_S * RATE_HZ)
    for span in spans:
        clips.append(pcm[span.start : min(span.end, span.start + n_left)])
        n_left -= len(clips[-1])
        if n_left <= 0:
            break
    return np.concatenate(clips)
