"""Frame headers of MPEG audio (ISO/IEC 11172-3, 13818-3) and of AAC in ADTS (ISO/IEC 13818-7).

Neither has a signature at the start of the file: it is known by frames that follow each other.
"""

from collections.abc import Callable
from dataclasses import dataclass

MPEG_HEADER_BYTES = 4
ADTS_HEADER_BYTES = 7

V1_KBIT_S = {
    1: (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    2: (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    3: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
}
V2_LAYER1_KBIT_S = (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256)
V2_KBIT_S = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
V1_RATES_HZ = (44_100, 48_000, 32_000)
RATE_DIVISORS = {3: 1, 2: 2, 0: 4}
"""By the version bits: MPEG-1, MPEG-2, and MPEG-2.5, which halves the rates once more."""


@dataclass(frozen=True, slots=True)
class FrameHeader:
    """How long a frame is, and what must be the same in the next one for both to be of one stream."""

    n_bytes: int
    bytes_per_s: float
    family: tuple[int, ...]


def mpeg_header(data: bytes, at: int) -> FrameHeader | None:
    """The header of an MPEG audio frame (any version and layer) at this place, if there is one."""
    if at + MPEG_HEADER_BYTES > len(data) or data[at] != 0xFF or data[at + 1] & 0xE0 != 0xE0:
        return None
    version, layer = data[at + 1] >> 3 & 3, 4 - (data[at + 1] >> 1 & 3)
    kbit_index, rate_index = data[at + 2] >> 4, data[at + 2] >> 2 & 3
    if version == 1 or layer == 4 or kbit_index in {0, 15} or rate_index == 3:
        return None
    rate_hz = V1_RATES_HZ[rate_index] // RATE_DIVISORS[version]
    bytes_per_s = _kbit_s(version, layer, kbit_index) * 125
    n_bytes = _frame_bytes(version, layer, bytes_per_s / rate_hz, data[at + 2] >> 1 & 1)
    return FrameHeader(n_bytes, bytes_per_s, (version, layer, rate_hz))


def _kbit_s(version: int, layer: int, index: int) -> int:
    if version == 3:
        return V1_KBIT_S[layer][index - 1]
    return (V2_LAYER1_KBIT_S if layer == 1 else V2_KBIT_S)[index - 1]


def _frame_bytes(version: int, layer: int, bytes_per_sample: float, padding: int) -> int:
    """Layer I counts in slots of four bytes and has 384 samples; II has 1152, III 1152 or (MPEG-2) 576."""
    if layer == 1:
        return (int(96 * bytes_per_sample) + padding) * 4
    n_samples = 576 if layer == 3 and version != 3 else 1152
    return int(n_samples * bytes_per_sample) + padding


def adts_header(data: bytes, at: int) -> FrameHeader | None:
    """The header of an ADTS frame at this place, if there is one."""
    if at + ADTS_HEADER_BYTES > len(data) or data[at] != 0xFF or data[at + 1] & 0xF6 != 0xF0:
        return None
    rate_index = data[at + 2] >> 2 & 15
    n_bytes = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
    if rate_index > 12 or n_bytes < ADTS_HEADER_BYTES:
        return None
    return FrameHeader(n_bytes, 0.0, (data[at + 1] & 8, rate_index))


def frames_follow(
    data: bytes, at: int, n_frames: int, header: Callable[[bytes, int], FrameHeader | None]
) -> FrameHeader | None:
    """The first of `n_frames` frames of one stream that follow each other from here, or None if they do not."""
    first = last = header(data, at)
    for _ in range(n_frames - 1):
        if last is None:
            return None
        at += last.n_bytes
        last = header(data, at)
        if first and last and last.family != first.family:
            return None
    return first if last else None
