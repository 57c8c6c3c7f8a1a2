"""The sound that a client keeps, to send it again."""

import threading

from app.cli.listening.kept import MOST_AHEAD_BYTES, KeptSound


def test_what_is_committed_is_dropped_and_the_rest_can_be_read_again():
    kept = KeptSound()
    kept.add(b"abcdef")
    kept.drop_before(2)
    assert kept.read(2, 3, 0) == b"cde"
    assert kept.read(2, 9, 0) == b"cdef"


def test_the_end_is_told_only_when_all_is_read():
    kept = KeptSound()
    kept.add(b"ab")
    assert kept.read(2, 9, 0) == b""
    kept.complete()
    assert kept.read(0, 9, 0) == b"ab"
    assert kept.read(2, 9, 0) is None


def test_a_fast_source_waits_for_the_sender():
    kept = KeptSound()
    kept.add(bytes(MOST_AHEAD_BYTES))
    source = threading.Thread(target=kept.add, args=(b"more",), daemon=True)
    source.start()
    source.join(0.1)
    assert source.is_alive()
    kept.read(4, 1, 0)
    source.join(5)
    assert not source.is_alive()
