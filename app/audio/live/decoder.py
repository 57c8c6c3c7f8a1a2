"""The decoder for what a client says it sends."""

from app.audio.live.base import MAX_RATE_HZ, MIN_RATE_HZ, OPUS, LiveDecoder, RestartPoint
from app.audio.live.pcm import FORMS, PcmDecoder
from app.domain.errors import MediaUnreadable

START = RestartPoint()


def make_live_decoder(encoding: str, rate_hz: int, start: RestartPoint = START) -> LiveDecoder:
    """A decoder in this process that expects the bytes from `start` on. For bare samples, which need no more than their
    `rate_hz`, those are the first of their own rate; Opus tells its rate itself, and has to be our own: what comes from
    others is decoded apart (`confined`).

    Raises:
        MediaUnreadable: there is no such encoding or rate.
    """
    if encoding == OPUS:
        from app.audio.live.opus import OpusDecoder  # PyAV is only loaded where it is needed

        return OpusDecoder(start)
    if encoding not in FORMS:
        raise MediaUnreadable(reason=f"there is no encoding {encoding!r}")
    if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
        raise MediaUnreadable(reason=f"{rate_hz} Hz is beyond {MIN_RATE_HZ} to {MAX_RATE_HZ}")
    return PcmDecoder(FORMS[encoding], rate_hz)
