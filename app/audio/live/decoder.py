"""The decoder for what a client says it sends."""

from app.audio.live.base import MAX_RATE_HZ, MIN_RATE_HZ, LiveDecoder, RestartPoint
from app.audio.live.pcm import FORMS, PcmDecoder
from app.domain.errors import MediaUnreadable

START = RestartPoint()


def make_live_decoder(encoding: str, rate_hz: int, start: RestartPoint = START) -> LiveDecoder:  # noqa: ARG001
    """A decoder that expects the bytes from `start` on. `rate_hz` counts for bare samples only.

    Raises:
        MediaUnreadable: there is no such encoding or rate.
    """
    if encoding not in FORMS:
        raise MediaUnreadable(reason=f"there is no encoding {encoding!r}")
    if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
        raise MediaUnreadable(reason=f"{rate_hz} Hz is beyond {MIN_RATE_HZ} to {MAX_RATE_HZ}")
    return PcmDecoder(FORMS[encoding], rate_hz)
