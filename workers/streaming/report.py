"""What a child has to tell its supervisor: words at once, how far it is when it has been silent for a while."""

import pickle
from multiprocessing.connection import Connection

from app.domain.live import StreamSpec
from workers.streaming.messages import Broke, FromStreams, Said

SILENT_S = 0.3
"""Sound of a session that may be heard without a word of it: each message wakes the supervisor, and most chunks bring
nothing that anybody waits for."""


class Report:
    """Gathers what is to be told; `put_off` is how far those are of whom nothing was told for a moment."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._told: FromStreams = []
        self._told_byte: dict[int, int] = {}
        self.put_off: dict[int, Said] = {}

    def __bool__(self) -> bool:
        """Whether there is something to be sent now."""
        return bool(self._told)

    def heard(self, said: Said, spec: StreamSpec) -> None:
        """A session has got on; what is put off of it is in this."""
        if not _brings(said, spec) and self._silent_s(said, spec) < SILENT_S:
            self.put_off[said.sid] = said
            return
        self._tell(said)

    def broke(self, broke: Broke) -> None:
        """A session cannot go on."""
        self.forget(broke.sid)
        self._told.append(broke)

    def forget(self, sid: int) -> None:
        """Nothing more will be heard of a session."""
        self.put_off.pop(sid, None)
        self._told_byte.pop(sid, None)

    def catch_up(self) -> None:
        """Have told what was put off: nothing more is coming just now."""
        for said in list(self.put_off.values()):
            self._tell(said)

    def send(self) -> None:
        """Send what there is.

        Raises:
            OSError: the supervisor has gone.
        """
        if self._told:
            self._pipe.send_bytes(pickle.dumps(self._told, pickle.HIGHEST_PROTOCOL))
            self._told = []

    def _tell(self, said: Said) -> None:
        self.put_off.pop(said.sid, None)
        self._told_byte[said.sid] = said.done_byte
        self._told.append(said)

    def _silent_s(self, said: Said, spec: StreamSpec) -> float:
        """Of a session that nothing was told of yet, the place is told at once."""
        return (said.done_byte - self._told_byte.get(said.sid, -spec.bytes_per_s)) / spec.bytes_per_s


def _brings(said: Said, spec: StreamSpec) -> bool:
    """Whether somebody waits for it."""
    return bool(said.steps) or said.guess is not None or said.has_ended or spec.lockstep
