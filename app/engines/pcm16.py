"""Sound as the older engines take it."""

from app.audio.sound import Pcm

FULL_SCALE = 32_767


def to_pcm16(pcm: Pcm) -> bytes:
    """Signed 16-bit little-endian samples of `pcm` (float32, shape (n,)); what is beyond −1…1 is cut off."""
    import numpy as np

    return (np.clip(pcm, -1.0, 1.0) * FULL_SCALE).round().astype("<i2").tobytes()
