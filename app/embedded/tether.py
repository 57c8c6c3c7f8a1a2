"""Run a command that ends when its parent does: `tether.py PARENT_PID SIGNAL IDENTITY COMMAND…`.

It is a script of its own, run between fork and exec, because `preexec_fn` is unsafe in a process with threads.
IDENTITY is `-` (stay who we are) or `UID:GID:REACH`; with REACH 1 the command may still pass every folder, as
root could: a virtual environment below /root is closed to everyone else. Standard library only, and no imports
of ours: it is started with `python -I -S` to be quick. The constants are those of Linux's prctl.h and
capability.h.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION_3 = 0x20080522


def main(argv: list[str]) -> None:
    """Become the command; returns only by an exception."""
    parent_pid, end_signal, identity, *command = argv
    linux = sys.platform.startswith("linux")
    if identity != "-":
        uid, gid, reach = map(int, identity.split(":"))
        _become(uid, gid, reaches_all=linux and bool(reach))
    if linux:
        _end_with_parent(int(parent_pid), int(end_signal))
    os.execv(command[0], command)  # noqa: S606 - the launcher made the command


def _become(uid: int, gid: int, *, reaches_all: bool) -> None:
    libc = ctypes.CDLL(None)
    if reaches_all:
        libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if reaches_all:
        _keep_reach(libc)


def _keep_reach(libc: ctypes.CDLL) -> None:
    """Keep CAP_DAC_OVERRIDE alone; where root lacks it, the command just does without."""
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    bit = 1 << CAP_DAC_OVERRIDE
    effective_permitted_inheritable = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)
    libc.capset(header, effective_permitted_inheritable)
    libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0)


def _end_with_parent(parent_pid: int, end_signal: int) -> None:
    # Set last: a change of user clears it.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, end_signal, 0, 0, 0)
    if os.getppid() != parent_pid:
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1:])
