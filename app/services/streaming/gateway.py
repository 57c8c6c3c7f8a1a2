"""The way between the sockets of this process and the workers that hear for them."""

import itertools
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from app.domain.errors import ParloirError, Unavailable
from app.domain.live import LiveSession
from app.domain.principal import Principal
from app.queues.live_input import LiveInput
from app.queues.live_output import LiveFeed
from app.services.jobs.catalogue import Catalogue
from app.services.streaming.intake import RETRY_S, Intake
from app.services.streaming.mailbox import Mailbox
from app.services.streaming.record import Record
from app.services.streaming.sessions import Sessions
from app.services.streaming.telling import Telling
from app.services.streaming.told import Told, Trouble
from app.services.streaming.upstream import Upstream

TAKEN_WITHIN_S = 2.0

MakeFeed = Callable[[str], LiveFeed]


@dataclass(frozen=True, slots=True)
class Connection:
    """One client's hold on a session: what it sends goes `upstream`, what it is told comes from `telling`."""

    session: LiveSession
    upstream: Upstream
    telling: Telling
    mailbox: Mailbox

    @property
    def received(self) -> int:
        """What is held of the client's sound, in its own units."""
        return self.session.spec.units(self.upstream.received)

    def told(self) -> Iterator[Told]:
        """Everything the client is to be told, until the session or the connection ends."""
        return self.telling.told()

    def trouble(self, error: ParloirError, *, is_fatal: bool = True) -> None:
        """Have the client told, after what it is told already."""
        self.mailbox.put(Trouble(error, is_fatal))

    def hang_up(self) -> None:
        """The client has gone: nobody waits for it any longer."""
        self.upstream.close()
        self.telling.end()


class Gateway:
    """All live connections of this process; one reader and one writer serve them."""

    def __init__(
        self, sessions: Sessions, catalogue: Catalogue, live_input: LiveInput, make_feed: MakeFeed, idle_s: float
    ) -> None:
        self._sessions, self._catalogue, self._input = sessions, catalogue, live_input
        self._name = secrets.token_hex(6)
        self._numbers = itertools.count(1)
        self._feed = make_feed(self._name)
        self._intake = Intake(live_input)
        self._idle_s = idle_s

    @contextmanager
    def connected(self, principal: Principal, session: LiveSession, after: int = 0) -> Iterator[Connection]:
        """Hold a session while the block lasts; who held it before is told so. `after` is the last final it knows.

        Raises:
            Unavailable: Redis cannot be reached.
        """
        job_id, owner = session.job.id, f"{self._name}:{next(self._numbers)}"
        mailbox = Mailbox(job_id)
        with self._feed.listening(job_id, mailbox.put):
            held = self._take_over(job_id, owner, session.committed_byte)
            upstream = Upstream(
                self._input, self._intake, job_id, owner, session.spec, held, lambda error: mailbox.put(Trouble(error))
            )
            telling = Telling(session, upstream, mailbox, self._record(principal, job_id, after), self._idle_s)
            self._intake.join(upstream)
            try:
                yield Connection(session, upstream, telling, mailbox)
            finally:
                self._leave(upstream)

    def _take_over(self, job_id: str, owner: str, received: int) -> int:
        """Asked again for a little while: a process that has much to do may find Redis silent without reason."""
        deadline_s = time.monotonic() + TAKEN_WITHIN_S
        while True:
            try:
                return self._input.take_over(job_id, owner, received)
            except Unavailable:
                if time.monotonic() > deadline_s:
                    raise
                time.sleep(RETRY_S)

    def past(self, principal: Principal, session: LiveSession, after: int = 0) -> Iterator[Told]:
        """What there is to be told of a session that has ended.

        Raises:
            NotFound, Unavailable: as for any reading.
        """
        return self._record(principal, session.job.id, after).past()

    def _record(self, principal: Principal, job_id: str, after: int) -> Record:
        return Record(self._sessions, self._catalogue, principal, job_id, after)

    def _leave(self, upstream: Upstream) -> None:
        upstream.close()
        self._intake.leave(upstream)
        with suppress(Unavailable):  # it is noticed all the same, some seconds later
            self._input.leave(upstream.job_id, upstream.owner)
