"""A live socket over a real pair of sockets: what is sent and read, and how it ends."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from websockets.frames import Opcode
from websockets.protocol import OPEN, Protocol, Side

from app.controllers import live_socket
from app.controllers.live_socket import LiveSocket, Stuck


class Upgraded:
    """What flask-sock hands over."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock, self.connected = sock, True


class Peer:
    """The client's end."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.sock.settimeout(10)
        self.frames = Protocol(Side.CLIENT, state=OPEN, max_size=None)

    def write(self) -> None:
        for data in self.frames.data_to_send():
            with suppress(BrokenPipeError):
                self.sock.sendall(data)

    def hear_all(self) -> list:
        """All frames until the other end closes."""
        heard = []
        while data := self.sock.recv(65_536):
            self.frames.receive_data(data)
            heard += self.frames.events_received()
            self.write()
        return heard


@pytest.fixture
def pair(monkeypatch) -> Iterator[tuple[LiveSocket, Peer]]:
    monkeypatch.setattr(live_socket, "STUCK_S", 0.3)
    monkeypatch.setattr(live_socket, "CLOSE_WITHIN_S", 2.0)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield LiveSocket(Upgraded(ours), lambda code, reason: f"{code}: {reason}"), Peer(theirs)


def test_messages_in_pieces_come_whole(pair):
    live, peer = pair
    peer.frames.send_binary(b"ab", fin=False)
    peer.frames.send_continuation(b"cd", fin=True)
    peer.frames.send_text("é".encode())
    [data] = [b"".join(peer.frames.data_to_send())]
    for at in range(len(data)):
        peer.sock.sendall(data[at : at + 1])
    messages = live.messages()
    assert [next(messages), next(messages)] == [b"abcd", "é"]


def test_pings_are_answered_while_messages_are_read(pair):
    live, peer = pair
    peer.frames.send_ping(b"there?")
    peer.frames.send_text(b"x")
    peer.write()
    assert next(live.messages()) == "x"
    peer.frames.receive_data(peer.sock.recv(1000))
    [pong] = peer.frames.events_received()
    assert (pong.opcode, pong.data) == (Opcode.PONG, b"there?")


def test_the_last_message_comes_before_the_close(pair):
    live, peer = pair
    heard = []
    reader = threading.Thread(target=lambda: heard.extend(peer.hear_all()))
    reader.start()
    live.finish(1008, "why")
    live.cut()
    reader.join(5)
    assert [frame.opcode for frame in heard] == [Opcode.TEXT, Opcode.CLOSE]
    assert (bytes(heard[0].data), peer.frames.close_rcvd.code) == (b"why", 1008)


def test_the_reason_comes_before_a_connection_fails(pair):
    live, peer = pair
    peer.sock.sendall(b"\xff" * 10)
    peer.sock.shutdown(socket.SHUT_WR)
    assert list(live.messages()) == []
    live.cut()
    heard = peer.hear_all()
    assert heard[0].data.startswith(b"1002: ")
    assert peer.frames.close_rcvd.code == 1002


def test_a_client_that_does_not_read_is_found_and_told_when_it_does(pair):
    live, peer = pair
    began_s = time.monotonic()
    with pytest.raises(Stuck):
        while True:
            live.send("x" * 10_000)
    assert time.monotonic() - began_s < 10
    closing = threading.Thread(target=live.close, args=(1008, "slow"))
    closing.start()
    heard = []
    reader = threading.Thread(target=lambda: heard.extend(peer.hear_all()))
    reader.start()
    assert list(live.messages()) == []
    closing.join(5)
    live.cut()
    reader.join(5)
    assert (bytes(heard[-2].data), heard[-1].opcode, peer.frames.close_rcvd.code) == (b"slow", Opcode.CLOSE, 1008)


def test_a_client_that_is_gone_ends_the_messages(pair):
    live, peer = pair
    peer.sock.close()
    assert list(live.messages()) == []


def test_a_silent_client_is_pinged_and_one_that_does_not_answer_is_gone(pair, monkeypatch):
    monkeypatch.setattr(live_socket, "PING_S", 0.1)
    monkeypatch.setattr(live_socket, "GONE_S", 1.5)
    live, peer = pair
    listening = threading.Thread(target=lambda: list(live.messages()))
    began_s = time.monotonic()
    listening.start()
    peer.frames.receive_data(peer.sock.recv(1000))
    assert [frame.opcode for frame in peer.frames.events_received()] == [Opcode.PING]
    assert listening.is_alive()
    listening.join(10)
    assert not listening.is_alive()
    assert time.monotonic() - began_s > 1.4


def test_a_silent_client_that_answers_pings_is_kept(pair, monkeypatch):
    monkeypatch.setattr(live_socket, "PING_S", 0.1)
    monkeypatch.setattr(live_socket, "GONE_S", 1.0)
    live, peer = pair
    heard: list[str] = []
    listening = threading.Thread(target=lambda: heard.extend(live.messages()))
    listening.start()
    until_s = time.monotonic() + 2.0
    while time.monotonic() < until_s:
        peer.frames.receive_data(peer.sock.recv(1000))
        peer.frames.events_received()
        peer.write()
    assert listening.is_alive()
    peer.frames.send_text(b"still here")
    peer.frames.send_close(1000)
    peer.write()
    listening.join(10)
    assert heard == ["still here"]


def test_a_client_that_is_looked_after_is_pinged_and_cut_off_once_it_is_silent_for_too_long(pair, monkeypatch):
    monkeypatch.setattr(live_socket, "PING_S", 0.1)
    monkeypatch.setattr(live_socket, "GONE_S", 1.0)
    live, peer = pair
    live.be_looked_after()
    listening = threading.Thread(target=lambda: list(live.messages()))
    listening.start()
    time.sleep(0.5)
    assert listening.is_alive()
    live.look()
    peer.frames.receive_data(peer.sock.recv(1000))
    assert [frame.opcode for frame in peer.frames.events_received()] == [Opcode.PING]
    time.sleep(1.0)
    assert listening.is_alive(), "it does not look at the clock itself"
    live.look()
    listening.join(5)
    assert not listening.is_alive()


def test_a_client_that_nobody_listens_to_is_not_silent(pair, monkeypatch):
    monkeypatch.setattr(live_socket, "GONE_S", 0.5)
    live, peer = pair
    live.be_looked_after()
    time.sleep(0.7)
    live.look()
    peer.frames.send_text(b"x")
    peer.write()
    live.look()
    assert next(live.messages()) == "x"


def test_a_client_that_does_not_read_is_found_also_while_it_is_looked_after(pair):
    live, _ = pair
    live.be_looked_after()
    with pytest.raises(Stuck):
        while True:
            live.send("x" * 10_000)
