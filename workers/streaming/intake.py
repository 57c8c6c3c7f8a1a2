"""Reads the input of all sessions, in one thread with one question to Redis, and hands it to their children."""

import time
from collections import defaultdict

import structlog

from app.domain.errors import Unavailable
from app.helpers.gathering import gather_s
from app.queues.live_input import END, SOUND, Entry, LiveInput
from workers.streaming.board import Board, LiveRun
from workers.streaming.home import Home
from workers.streaming.messages import Feed, ToStreams
from workers.tools import Stop

log = structlog.get_logger(__name__)

BLOCK_MS = 50
"""Longest wait for sound: how soon a session that has come meanwhile is looked at."""

IDLE_S = 0.02
EMPTY_S = 0.5
"""Longest wait for a session when there is none: how soon a stop is noticed."""

WITHOUT_REDIS_S = 0.2


class Intake:
    """The loop."""

    def __init__(self, board: Board, live: LiveInput, stop: Stop) -> None:
        self._board = board
        self._live = live
        self._stop = stop

    def run(self) -> None:
        """Read until asked to stop."""
        while not self._stop.requested():
            try:
                self._step()
            except Unavailable:
                log.warning("input_unreachable")
                self._stop.wait(WITHOUT_REDIS_S)

    def _step(self) -> None:
        if not len(self._board):
            self._board.wait_for_one(EMPTY_S)
            return
        with self._board.lock:
            hungry = {run.job.id: run.read for run in self._board if run.wants_input()}
        if not hungry:
            time.sleep(IDLE_S)
            return
        entries = self._live.read(hungry, BLOCK_MS)
        if entries:
            self._hand_on(entries)
            time.sleep(gather_s(len(hungry)))

    def _hand_on(self, entries: list[Entry]) -> None:
        feeds: dict[Home, ToStreams] = defaultdict(list)
        with self._board.lock:
            for entry in entries:
                run = self._board.find(entry.job_id)
                if run is not None and run.home is not None:
                    self._add(run, entry, feeds[run.home])
            for home, messages in feeds.items():
                home.send(messages)

    def _add(self, run: LiveRun, entry: Entry, feeds: ToStreams) -> None:
        """Hand on what the child does not have yet; a place that was read before is passed over."""
        byte = run.read[0]
        if (entry.end_byte, entry.n) <= run.read or run.has_read_end:
            return
        if entry.start_byte > byte and entry.kind == SOUND:
            # Cannot be: Redis takes nothing that leaves a gap. To go on would be to tell wrong times.
            log.error("input_has_a_gap", job_id=run.job.id, at=byte, next=entry.start_byte)
            return
        run.read = (entry.end_byte, entry.n)
        run.received = max(run.received, entry.end_byte)
        run.has_read_end = entry.kind == END
        data = entry.data[byte - entry.start_byte :] if entry.data else b""
        feeds.append(Feed(run.sid, entry.kind, entry.end_byte, data))
