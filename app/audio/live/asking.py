"""What is asked of a decoder in a process of its own, and what it answers.

Each message is a letter and what belongs to it. Answers may come from a decoder that was led astray: nothing in them is
more than numbers and bytes.
"""

import struct

import numpy as np

from app.audio.live.base import LiveDecoder, RestartPoint
from app.audio.sound import Pcm
from app.domain.errors import ChildDied, MediaUnreadable

FEED, FLUSH, RESTART = b"F", b"L", b"R"
HELLO, SOUND, POINT, REFUSED = b"H", b"P", b"R", b"E"
NUMBER, PAIR = struct.Struct("<q"), struct.Struct("<qq")
MAX_ANSWER_BYTES = 64 * 1024**2
MAX_REASON = 500


def hello(pid: int) -> bytes:
    """A decoder's first word: its process id."""
    return HELLO + NUMBER.pack(pid)


def pid_of(message: bytes) -> int:
    """The process id in a decoder's first word."""
    return _number(_rest(message, HELLO))


def start(point: RestartPoint) -> bytes:
    """Where it is to begin."""
    return _point(b"", point)


def start_of(message: bytes) -> RestartPoint:
    """What `start` says."""
    return _point_of(message)


def restart_at(sample: int) -> bytes:
    """Asks for the latest point before `sample`."""
    return RESTART + NUMBER.pack(sample)


def answer(decoder: LiveDecoder, question: bytes) -> bytes:
    """Have the decoder do what it is asked.

    Raises:
        MediaUnreadable: it refuses what it is fed.
    """
    kind, rest = question[:1], question[1:]
    if kind == RESTART:
        return _point(POINT, decoder.restart_at(_number(rest)))
    pcm = decoder.feed(rest) if kind == FEED else decoder.flush()
    return SOUND + pcm.astype("<f4").tobytes()


def refusal(error: MediaUnreadable) -> bytes:
    """The answer that it is not what was announced."""
    return REFUSED + str(error.params.get("reason", ""))[:MAX_REASON].encode()


def sound_of(message: bytes) -> Pcm:
    """The sound in an answer.

    Raises:
        MediaUnreadable: it refused what it was fed.
        ChildDied: it is no answer to that.
    """
    sound = _rest(message, SOUND)
    pcm: Pcm = np.nan_to_num(np.frombuffer(sound[: len(sound) // 4 * 4], "<f4")).astype(np.float32)
    return pcm


def point_of(message: bytes) -> RestartPoint:
    """The restart point in an answer; raises as `sound_of` does."""
    return _point_of(_rest(message, POINT))


def _rest(message: bytes, kind: bytes) -> bytes:
    if message[:1] == REFUSED:
        raise MediaUnreadable(reason=message[1:].decode(errors="replace"))
    if message[:1] != kind:
        raise ChildDied(reason="the decoder of its sound speaks in riddles")
    return message[1:]


def _point(kind: bytes, point: RestartPoint) -> bytes:
    return kind + PAIR.pack(point.byte, point.sample) + point.header


def _point_of(message: bytes) -> RestartPoint:
    byte, sample = _unpacked(PAIR, message)
    return RestartPoint(byte, sample, message[PAIR.size :])


def _number(message: bytes) -> int:
    [number] = _unpacked(NUMBER, message)
    return number


def _unpacked(form: struct.Struct, message: bytes) -> tuple[int, ...]:
    if len(message) < form.size:
        raise ChildDied(reason="the decoder of its sound speaks in riddles")
    return form.unpack_from(message)
