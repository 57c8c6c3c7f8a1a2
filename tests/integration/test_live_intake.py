"""What many sockets have sent, on its way to Redis."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import uuid4

from app.domain.errors import ParloirError
from app.domain.live import StreamSpec
from app.queues.connection import connect
from app.queues.live_input import Append, LiveInput
from app.services.streaming.intake import AT_ONCE_BYTES, Intake
from app.services.streaming.upstream import Upstream
from tests.workers import wait_for

N, PIECE = 12, bytes(200_000)


@dataclass
class Watched(LiveInput):
    """Notes how much sound each round trip takes along."""

    url: str
    sizes: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(connect(self.url))

    def append_many(self, appends: Sequence[Append]) -> list[int | ParloirError]:
        self.sizes.append(sum(len(one.data) for one in appends))
        return super().append_many(appends)


def test_a_backlog_of_many_sockets_is_written_in_bounded_round_trips_and_wholly(redis_url):
    live, refused = Watched(redis_url), []
    intake = Intake(live)
    jobs = [str(uuid4()) for _ in range(N)]
    for job in jobs:
        live.take_over(job, "gate:1", 0)
    sockets = [Upstream(live, intake, job, "gate:1", StreamSpec(), 0, refused.append) for job in jobs]
    for socket in sockets:
        socket.send(PIECE)  # not joined yet: it waits
    for socket in sockets:
        intake.join(socket)
        intake.come(socket)
    wait_for(lambda: all(socket.received == len(PIECE) for socket in sockets))
    for socket in sockets:
        intake.leave(socket)
    assert max(live.sizes) < AT_ONCE_BYTES + len(PIECE)
    assert sum(live.sizes) == N * len(PIECE)
    assert not refused
