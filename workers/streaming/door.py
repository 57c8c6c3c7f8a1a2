"""Lets sessions in: takes hints while there is room, claims, and finds each a child."""

from uuid import UUID, uuid4

import structlog

from app.domain.errors import NotFound, Unavailable
from app.queues.hints import HintQueue
from app.services.jobs.claimed import ClaimedJob
from app.services.jobs.claims import Claims
from app.services.jobs.endings import Endings
from app.services.streaming.ledger import StreamLedger
from workers.streaming.board import Board, LiveRun
from workers.streaming.minutes import Minutes
from workers.tools import Stop

log = structlog.get_logger(__name__)

TAKE_S = 0.5
FULL_S = 0.05
WITHOUT_REDIS_S = 0.5


class Door:
    """The loop."""

    def __init__(
        self, board: Board, queue: HintQueue, claims: Claims, endings: Endings, ledger: StreamLedger, minutes: Minutes
    ) -> None:
        self._board = board
        self._queue = queue
        self._claims = claims
        self._endings = endings
        self._ledger = ledger
        self._minutes = minutes

    def run(self, stop: Stop) -> None:
        """Let in until asked to stop."""
        while not stop.requested():
            if len(self._board) >= self._minutes.n_slots():
                stop.wait(FULL_S)
                continue
            try:
                self._let_in(stop)
            except Unavailable as error:
                log.warning("backing_service_unreachable", service=error.params["service"])
                stop.wait(WITHOUT_REDIS_S)

    def _let_in(self, stop: Stop) -> None:
        token = uuid4()
        job = self._next(token)
        if job is None:
            return
        if stop.requested():
            self._endings.release(job)
            return
        try:
            spec, mark = self._ledger.load(job)
        except NotFound:
            return
        except Unavailable:
            self._endings.release(job)
            raise
        run = LiveRun(job, spec, mark)
        self._board.add(run)
        self._minutes.place(run)
        log.info("session_taken", job_id=job.id, attempt=job.attempt, n_finals=mark.n_finals)

    def _next(self, token: UUID) -> ClaimedJob | None:
        try:
            hint = self._queue.take(TAKE_S)
        except Unavailable:
            return None  # without Redis there is no sound either
        if hint is None:
            return None
        try:
            return self._claims.claim(hint, token)
        except Unavailable:
            # The answer may have been lost after the commit: the same token finds that out.
            return self._claims.claim(hint, token)
