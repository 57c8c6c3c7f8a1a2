"""What is asked of a decoder in a process of its own, and what it answers.

Each message is a letter and what belongs to it. Answers may come from a decoder that was led astray: nothing in them is
more than numbers and bytes. With its sound it tells the restart points that it found on the way, so that nobody has to
ask for them.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from app.audio.live.base import LiveDecoder, RestartPoint
from app.audio.live.points import Point, Points
from app.audio.sound import Pcm
from app.domain.errors import ChildDied, MediaUnreadable

FEED, FLUSH = b"F", b"L"
HELLO, SOUND, REFUSED = b"H", b"P", b"E"
NUMBER, PAIR = struct.Struct("<q"), struct.Struct("<qq")
MAX_ANSWER_BYTES = 64 * 1024**2
MAX_REASON = 500


class PointingDecoder(LiveDecoder, Protocol):
    """A decoder that knows its restart points before it is asked for them."""

    points: Points

    def new_points(self) -> list[Point]:
        """The points that were found since this was asked last."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """Sound, the points that were found in it, and the header that goes with them; empty: as before."""

    pcm: Pcm
    points: Sequence[Point]
    header: bytes


def hello(pid: int) -> bytes:
    """A decoder's first word: its process id."""
    return HELLO + NUMBER.pack(pid)


def pid_of(message: bytes) -> int:
    """The process id in a decoder's first word."""
    [pid] = _unpacked(NUMBER, _rest(message, HELLO))
    return pid


def start(point: RestartPoint) -> bytes:
    """Where it is to begin."""
    return PAIR.pack(point.byte, point.sample) + point.header


def start_of(message: bytes) -> RestartPoint:
    """What `start` says."""
    byte, sample = _unpacked(PAIR, message)
    return RestartPoint(byte, sample, message[PAIR.size :])


class Answering:
    """The decoder's side."""

    def __init__(self, decoder: PointingDecoder) -> None:
        self._decoder = decoder
        self._told_header = b""

    def answer(self, question: bytes) -> bytes:
        """Have the decoder do what it is asked."""
        decoder = self._decoder
        try:
            pcm = decoder.feed(question[1:]) if question[:1] == FEED else decoder.flush()
        except MediaUnreadable as error:
            return REFUSED + str(error.params.get("reason", ""))[:MAX_REASON].encode()
        points, header = decoder.new_points(), decoder.points.header
        header, self._told_header = b"" if header == self._told_header else header, header
        told = b"".join(PAIR.pack(*point) for point in points)
        return SOUND + PAIR.pack(len(points), len(header)) + told + header + pcm.astype("<f4").tobytes()


def decoded_of(message: bytes) -> Decoded:
    """What an answer says.

    Raises:
        MediaUnreadable: it refused what it was fed.
        ChildDied: it is no answer to that.
    """
    rest = _rest(message, SOUND)
    n_points, n_header_bytes = _unpacked(PAIR, rest)
    header_at = PAIR.size * (1 + n_points)
    sound_at = header_at + n_header_bytes
    if not PAIR.size <= header_at <= sound_at <= len(rest):
        raise _riddle()
    points = [(sample, byte) for sample, byte in PAIR.iter_unpack(rest[PAIR.size : header_at])]
    sound = rest[sound_at:]
    pcm: Pcm = np.nan_to_num(np.frombuffer(sound[: len(sound) // 4 * 4], "<f4")).astype(np.float32)
    return Decoded(pcm, points, rest[header_at:sound_at])


def _rest(message: bytes, kind: bytes) -> bytes:
    if message[:1] == REFUSED:
        raise MediaUnreadable(reason=message[1:].decode(errors="replace"))
    if message[:1] != kind:
        raise _riddle()
    return message[1:]


def _unpacked(form: struct.Struct, message: bytes) -> tuple[int, ...]:
    if len(message) < form.size:
        raise _riddle()
    return form.unpack_from(message)


def _riddle() -> ChildDied:
    return ChildDied(reason="the decoder of its sound speaks in riddles")
