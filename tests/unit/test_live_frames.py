"""What clients send comes out whole, however it was cut on the way, whether the library or ours takes it apart."""

import struct
from random import Random

import pytest
from websockets.protocol import OPEN, Protocol, Side

from app.controllers.live_frames import MAX_MESSAGE_BYTES, LiveFrames
from app.controllers.sound_frames import may_be_sound, sound_in

MASK = b"\x01\x02\x03\x04"


class Client:
    """Writes frames down."""

    def __init__(self) -> None:
        self.frames = Protocol(Side.CLIENT, state=OPEN, max_size=None)

    def said(self) -> bytes:
        return b"".join(self.frames.data_to_send())

    def binary(self, data: bytes) -> bytes:
        self.frames.send_binary(data)
        return self.said()


def heard(ours: LiveFrames, *pieces: bytes) -> list[bytes | str]:
    """The messages, as the socket asks for them."""
    messages: list[bytes | str] = []
    for piece in pieces:
        if (sound := ours.sound(piece)) is not None:
            messages += sound
            continue
        found = [ours.message(frame) for frame in ours.understood(piece) if frame.opcode <= 2]
        messages += [one for one in found if one is not None]
    return messages


def make_frames() -> LiveFrames:
    return LiveFrames(lambda code, reason: f"{code}: {reason}")


def cut(data: bytes, random: Random) -> list[bytes]:
    """In pieces, of single bytes up to some frames at once."""
    pieces = []
    while data:
        n = random.choice([1, 2, 3, 7, 100, 3_000, 10_000])
        pieces.append(data[:n])
        data = data[n:]
    return pieces


@pytest.mark.parametrize("seed", range(20))
def test_messages_of_all_kinds_and_sizes_come_whole_however_they_are_cut(seed):
    random, client, said = Random(seed), Client(), []
    wire = b""
    for _ in range(30):
        data = random.randbytes(random.choice([0, 1, 125, 126, 127, 3_200, 65_535, 65_536]))
        match random.choice(["binary", "binary", "binary", "text", "parts", "ping"]):
            case "binary":
                client.frames.send_binary(data)
            case "text":
                data = data.hex().encode()
                client.frames.send_text(data)
            case "parts":
                client.frames.send_binary(data, fin=False)
                client.frames.send_ping(b"in between")
                client.frames.send_continuation(b"end", fin=True)
                data += b"end"
            case "ping":
                client.frames.send_ping(b"there?")
                wire += client.said()
                continue
        wire += (sent := client.said())
        said.append(data.decode() if sent[0] & 0x0F == 1 else data)
    assert heard(make_frames(), *cut(wire, random)) == said


def test_sound_is_taken_apart_without_the_library():
    client = Client()
    one, two, begun = client.binary(b"abcd"), client.binary(bytes(3_200)), client.binary(b"efgh")[:-1]
    assert sound_in(one + two + begun) == ([b"abcd", bytes(3_200)], begun)
    assert make_frames().sound(one + two) == [b"abcd", bytes(3_200)]
    assert may_be_sound(begun)


def test_sound_in_the_middle_of_a_message_in_parts_ends_the_connection():
    client, ours = Client(), make_frames()
    client.frames.send_binary(b"ab", fin=False)
    assert heard(ours, client.said()) == []
    assert heard(ours, Client().binary(b"cd")) == []
    assert ours.close_sent is not None
    assert ours.close_sent.code == 1002


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"\x82\x04abcd", 1002),  # not masked
        (b"\x82\x00", 1002),
        (b"\xc2\x84" + MASK + b"abcd", 1002),  # said to be compressed
        (b"\x83\x84" + MASK + b"abcd", 1002),  # of no kind there is
        (b"\x82\xff" + struct.pack("!Q", MAX_MESSAGE_BYTES + 1), 1009),  # told before it is sent
    ],
)
def test_what_is_no_frame_of_a_client_fails_at_its_head_also_after_sound(frame, code):
    ours = make_frames()
    assert heard(ours, Client().binary(b"ab") + frame) == [b"ab"]
    assert ours.close_sent is not None
    assert ours.close_sent.code == code


def test_a_length_that_is_longer_than_it_needs_be_is_understood():
    ours, long = make_frames(), b"\x82\xfe" + struct.pack("!H", 4) + bytes(4) + b"abcd"
    longer = b"\x82\xff" + struct.pack("!Q", 4) + bytes(4) + b"efgh"
    assert heard(ours, long, longer, longer[:5], longer[5:], Client().binary(b"ij")) == [
        b"abcd",
        b"efgh",
        b"efgh",
        b"ij",
    ]


def test_nothing_is_heard_after_a_close():
    client, ours = Client(), make_frames()
    client.frames.send_close(1000)
    assert heard(ours, client.said() + Client().binary(b"ab"), Client().binary(b"cd")) == []


def test_a_client_that_goes_in_the_middle_of_a_frame_says_nothing_more():
    ours = make_frames()
    assert heard(ours, Client().binary(bytes(3_200))[:100], b"") == []
    assert ours.has_closed
