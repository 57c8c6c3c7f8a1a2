"""Takes down what the children say: steps that are to be stored, partials that may be told at once."""

import structlog

from app.domain.errors import ParloirError
from app.queues.live_output import LiveMessage
from workers.streaming.board import Board, Leaving, LiveRun
from workers.streaming.home import Home
from workers.streaming.messages import Broke, Close, FromStreams, Open, Said
from workers.streaming.teller import Teller
from workers.tools import Tally

log = structlog.get_logger(__name__)


class Minutes:
    """Fulfils `workers.streaming.home.Listener`; called by the threads that listen to the children."""

    def __init__(self, board: Board, teller: Teller, tally: Tally) -> None:
        self._board = board
        self._teller = teller
        self._tally = tally
        self._homes: list[Home] = []

    def employ(self, homes: list[Home]) -> None:
        """These are the children's places."""
        self._homes = homes

    def n_slots(self) -> int:
        """Sessions that there is room for in all."""
        return sum(home.n_slots for home in self._homes)

    def ready(self, home: Home) -> None:  # noqa: ARG002 - the freest takes them, which need not be the new one
        """A child has started: sessions without one are opened."""
        for run in self._board.homeless():
            self.place(run)

    def place(self, run: LiveRun) -> None:
        """Open a session in the child that has most room; without any child it waits for the first to start."""
        with self._board.lock:
            home = max(self._homes, key=self._room, default=None)
            if home is None or not home.n_slots:
                return
            self._board.settle(run, home)
            home.send([Open(run.sid, run.job.id, run.spec, run.job.options, run.tail)])
            self._teller.say([run.progress()])

    def _room(self, home: Home) -> tuple[bool, int]:
        return home.n_slots > 0, home.n_slots - sum(run.home is home for run in self._board)

    def said(self, messages: FromStreams) -> None:
        """What a child said."""
        told: list[LiveMessage] = []
        with self._board.lock:
            for message in messages:
                run = self._board.opened(message.sid)
                if run is None or run.leaving:
                    continue
                if isinstance(message, Broke):
                    self._broke(run, message)
                else:
                    self._heard(run, message, told)
        if told:
            self._teller.say(told)

    def _heard(self, run: LiveRun, said: Said, told: list[LiveMessage]) -> None:
        run.done_byte, run.n_samples = said.done_byte, said.n_samples
        if said.steps:
            self._step(run, said)
        if said.guess is not None:
            guess = said.guess
            partial = run.message("partial", seq=guess.seq, start=guess.start_s, end=guess.end_s, text=guess.text)
            run.held_back = partial if run.is_urgent else None
            if not run.is_urgent:
                told.append(partial)
        if not run.is_urgent and self._is_progress(run):
            told.append(run.progress())

    def _step(self, run: LiveRun, said: Said) -> None:
        run.pending.extend(said.steps)
        run.tail = said.steps[-1].mark
        if said.has_ended:
            run.leaving = Leaving("complete")
        if said.has_ended or any(step.final is not None for step in said.steps):
            run.is_urgent = True
            run.held_back = None
            self._board.changed.set()

    def _is_progress(self, run: LiveRun) -> bool:
        return run.spec.lockstep or run.done_byte - run.told[0] >= run.spec.bytes_per_s

    def _broke(self, run: LiveRun, broke: Broke) -> None:
        run.leaving = Leaving("fail", broke.error, broke.detail)
        self._board.changed.set()

    def lost(self, home: Home, sid: int, error: ParloirError) -> None:
        """A child is lost: the session that it was at is to blame, the others begin again in another child."""
        self._tally.crashes += 1
        with self._board.lock:
            for run in self._board.unsettle(home):
                if run.leaving:
                    continue
                if run.sid == sid:
                    log.error("session_took_its_child_down", job_id=run.job.id, reason=error.message)
                    run.leaving = Leaving("crash", error)
                else:
                    self.place(run)
        self._board.changed.set()

    def close(self, run: LiveRun) -> None:
        """The child need not listen to this session any more."""
        with self._board.lock:
            if run.home is not None:
                run.home.send([Close(run.sid)])
            self._board.remove(run)
