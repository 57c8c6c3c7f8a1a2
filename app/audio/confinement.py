"""What the decoder process may do once it has loaded its code: read one file, and no more.

FFmpeg's demuxers and decoders meet whatever people upload. If one is led astray, there is little that it can reach.
"""

import ctypes
import os
import resource
import signal
from contextlib import suppress
from pathlib import Path

PR_SET_PDEATHSIG = 1
CPU_GRACE_S = 5
OWN_BYTES = 512 * 1024**2
"""The address space of the code itself, where the system does not tell it."""


def end_with_parent(parent_pid: int) -> None:
    """Be killed when the thread that started us ends (prctl(2); Linux only).

    Elsewhere the pipe that nobody reads any more ends us at the next write.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:
        os._exit(1)


def confine(memory_bytes: int, cpu_s: int, n_files: int = 1) -> None:
    """Limit memory and processor time, write no file, and open just `n_files` more: one is the recording.

    A socket is a file too, so there is no network either.
    """
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_CPU, cpu_s, cpu_s + CPU_GRACE_S)
    _limit(resource.RLIMIT_AS, _address_space_bytes() + memory_bytes)
    _limit(resource.RLIMIT_NOFILE, _lowest_free_fd() + n_files)


def _limit(kind: int, soft: int, hard: int | None = None) -> None:
    """Set a limit, never above the one that is there."""
    _, allowed = resource.getrlimit(kind)
    wanted = soft if hard is None else hard
    ceiling = wanted if allowed == resource.RLIM_INFINITY else min(wanted, allowed)
    resource.setrlimit(kind, (min(soft, ceiling), ceiling))


def _lowest_free_fd() -> int:
    fd = os.open(os.devnull, os.O_RDONLY)
    os.close(fd)
    return fd


def _address_space_bytes() -> int:
    try:
        n_pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return OWN_BYTES
    return n_pages * resource.getpagesize()
