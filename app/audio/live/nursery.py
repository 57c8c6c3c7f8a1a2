"""The process that decoders of live Opus are forked from, and what such a decoder does.

Runs as `python -m app.audio.live.nursery FD PARENT_PID`; over the socket FD it is given others, one for each session.
It has loaded the code, so that a decoder is there within milliseconds and shares its memory with the others.
"""

import os
import signal
import socket
import sys

from app.audio.confinement import confine, end_with_parent
from app.audio.live import asking
from app.audio.live.line import receive, send
from app.audio.live.opus import OpusDecoder

MEMORY_BYTES = 128 * 1024**2
"""Beyond the code itself; a header and the longest element of a container are about 1 MB."""

CPU_S = 6 * 3600
"""Far more than a day of sound takes: a decoder that hangs is noticed by whoever waits for it."""


def serve(asker: socket.socket) -> None:
    """Decode one session, until nobody asks any more."""
    send(asker, asking.hello(os.getpid()))
    answering = asking.Answering(OpusDecoder(asking.start_of(receive(asker))))
    while True:
        send(asker, answering.answer(receive(asker)))


def _decode(fd: int, nursery_pid: int) -> None:
    """Be a decoder; whatever it breaks at, its end says so."""
    end_with_parent(nursery_pid)
    confine(MEMORY_BYTES, CPU_S, n_files=0)
    serve(socket.socket(fileno=fd))


def main(fd: int, parent_pid: int) -> None:
    """Fork a decoder for each socket that comes."""
    end_with_parent(parent_pid)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how they ended
    line, own_pid = socket.socket(fileno=fd), os.getpid()
    while True:
        _, given, _, _ = socket.recv_fds(line, 1, 1)
        if not given:
            return
        if os.fork() == 0:
            try:
                line.close()
                _decode(given[0], own_pid)
            finally:
                os._exit(1)
        os.close(given[0])


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
