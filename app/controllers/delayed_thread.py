"""A thread for the WebSocket library, which starts one for each connection; live sockets have no use for it."""

import threading


class DelayedThread(threading.Thread):
    """Starts only when it is told to `begin`."""

    def start(self) -> None:
        """Not yet."""

    def begin(self) -> None:
        """Now."""
        super().start()
