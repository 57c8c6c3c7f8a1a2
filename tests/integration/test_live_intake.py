"""What many sockets have sent, on its way to Redis."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

from app.domain.errors import ParloirError, StreamLost
from app.domain.live import StreamSpec
from app.queues.connection import connect
from app.queues.live_input import Append, LiveInput
from app.services.streaming import intake as module
from app.services.streaming.intake import AT_ONCE_BYTES, Intake
from app.services.streaming.upstream import Upstream
from tests.workers import wait_for

N, PIECE = 12, bytes(200_000)


@dataclass
class Watched(LiveInput):
    """Notes how much sound each round trip takes along."""

    url: str
    sizes: list[int] = field(default_factory=list)
    kept: list[set[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(connect(self.url))

    def append_many(self, appends: Sequence[Append]) -> list[int | ParloirError]:
        self.sizes.append(sum(len(one.data) for one in appends))
        return super().append_many(appends)

    def keep_owner(self, owners: Mapping[str, str]) -> set[str]:
        self.kept.append(set(owners))
        return super().keep_owner(owners)


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


def test_signs_of_life_of_many_connections_take_turns_and_leave_nobody_out(redis_url, monkeypatch):
    monkeypatch.setattr(module, "KEEP_EVERY_S", 0.2)
    monkeypatch.setattr(module, "KEPT_AT_ONCE", 5)
    live, refused = Watched(redis_url), []
    intake = Intake(live)
    jobs = [str(uuid4()) for _ in range(N)]
    for job in jobs[1:]:
        live.take_over(job, "gate:1", 0)
    sockets = [Upstream(live, intake, job, "gate:1", StreamSpec(), 0, refused.append) for job in jobs]
    for socket in sockets:
        intake.join(socket)
    wait_for(lambda: min(sum(job in kept for kept in live.kept) for job in jobs) >= 3)
    for socket in sockets:
        intake.leave(socket)
    assert set().union(*live.kept) == set(jobs)
    assert max(map(len, live.kept)) == 5
    assert [type(error) for error in refused[:1]] == [StreamLost], "the first was never its owner"
