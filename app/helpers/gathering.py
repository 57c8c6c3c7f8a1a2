"""How long to wait for more, once something has come, when many send a little ten times a second."""

AT_MOST_S = 0.016


def gather_s(n_senders: int) -> float:
    """Seconds: 1.5 ms for a hundred, 16 ms for three hundred and more.

    What one round trip carries grows with both, the senders and the wait. Few get their words at once; with hundreds,
    what is saved keeps the process in time at all.
    """
    return min(AT_MOST_S, 1.5e-7 * n_senders**2)


def apart_s(n_senders: int) -> float:
    """Seconds between the beginnings of two writes. Twice as long as whoever reads them gathers, so that he waits for
    the next write, and not the write for him.
    """
    return 2 * gather_s(n_senders)
