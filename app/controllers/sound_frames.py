"""The frames that sound comes in, whole binary messages of less than 64 KiB, without the library's parser.

It takes some times as long, ten times a second for everybody who speaks. All that is anything else is left to it.
"""

from websockets.frames import Frame, Opcode

try:  # as the library does itself
    from websockets.speedups import apply_mask
except ImportError:
    from websockets.utils import apply_mask

WHOLE_BINARY = 0x80 | Opcode.BINARY
MASKED, LENGTH_IN_TWO, LENGTH_IN_EIGHT = 0x80, 0xFE, 0xFF
MASK_BYTES = 4


def sound_in(data: bytes) -> tuple[list[bytes], bytes]:
    """The messages at the beginning of what a client has sent, and what is left after them."""
    messages = []
    at, n_bytes = 0, len(data)
    while (bounds := _bounds(data, at)) is not None and bounds[1] <= n_bytes:
        start, end = bounds
        messages.append(apply_mask(data[start:end], data[start - MASK_BYTES : start]))
        at = end
    return messages, data[at:] if at else data


def may_be_sound(begun: bytes) -> bool:
    """Whether the rest of a frame that begins so can make it one of these."""
    return begun[:1] == bytes([WHOLE_BINARY]) and (len(begun) == 1 or MASKED <= begun[1] < LENGTH_IN_EIGHT)


def wire_bytes(frame: Frame) -> int:
    """The least that a client's frame takes on the wire."""
    n_bytes = len(frame.data)
    return 2 + (0 if n_bytes < 126 else 2 if n_bytes < 65_536 else 8) + MASK_BYTES + n_bytes


def _bounds(data: bytes, at: int) -> tuple[int, int] | None:
    """Where the payload of the frame at this place starts and ends; None: it is another one, or not yet to be told."""
    head = data[at : at + 4]
    if len(head) < 4 or head[0] != WHOLE_BINARY or not MASKED <= head[1] < LENGTH_IN_EIGHT:
        return None
    if head[1] == LENGTH_IN_TWO:
        start, n_bytes = at + 4 + MASK_BYTES, head[2] << 8 | head[3]
    else:
        start, n_bytes = at + 2 + MASK_BYTES, head[1] - MASKED
    return start, start + n_bytes
