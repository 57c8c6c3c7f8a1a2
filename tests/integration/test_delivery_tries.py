"""Messages reach receivers that fail, hang, redirect, leave and come back, signed, and not twice without need."""

import base64
import hashlib
import hmac
import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from app.domain.delivery import DeliveryView
from app.domain.principal import ANONYMOUS
from app.models import Delivery
from app.outbound.client import Outbound, Patience
from app.outbound.guard import Guard
from app.services.delivery.courier import Courier
from app.services.delivery.deliverer import Deliverer
from app.services.delivery.deliveries import Deliveries
from app.services.delivery.ledger import DeliveryLedger
from app.services.delivery.schedule import WAITS_S
from tests.factories import House, make_transcript
from tests.outside import Outside, Received, outside
from tests.workers import wait_for

KEY = b"a key that only we two know"


@dataclass
class Post:
    """The deliveries of the house, and a receiver to send them to."""

    house: House
    world: Outside

    def owe(self, url: str) -> str:
        """A job that has ended and is to be told; returns its id."""
        job_id = self.house.add_job(callback_url=url, meta={"who": "Zoé"})
        assert self.house.endings.complete(self.house.claim(job_id), make_transcript())
        return job_id

    def deliverer(self, *, guard: Guard | None = None, total_s: float = 5.0, **ledger) -> Deliverer:
        outbound = Outbound(guard or Guard(allow_private=True))
        courier = Courier(outbound, KEY, Patience(total_s, silence_s=total_s))
        return Deliverer(DeliveryLedger(self.house.database, **ledger), courier)

    def deliver(self, **options) -> int:
        """Make all tries that are due, one round after the other; returns how many."""
        deliverer, n_begun = self.deliverer(**options), 0
        while begun := deliverer.step():
            n_begun += begun
            assert deliverer.wait_until_idle(20)
        return n_begun

    def view(self, job_id: str) -> DeliveryView:
        (view,) = Deliveries(self.house.database).list_deliveries(ANONYMOUS, job_id)
        return view

    def pass_time(self, **period) -> None:
        """Let all that waits come nearer by so much."""
        with self.house.database.work() as work:
            work.session.execute(update(Delivery).values(next_at=Delivery.next_at - timedelta(**period)))

    def due_in_s(self, job_id: str) -> float:
        due = func.extract("epoch", Delivery.next_at - func.now())
        with self.house.database.work() as work:
            return float(work.session.scalar(select(due).where(Delivery.job_id == UUID(job_id))))


@pytest.fixture
def post(house, world):
    return Post(house, world)


def is_signed(received: Received) -> bool:
    """What a receiver checks, from the text of the standard and not with our own code."""
    message_id, timestamp = received.headers["webhook-id"], received.headers["webhook-timestamp"]
    assert abs(time.time() - int(timestamp)) < 60
    expected = hmac.new(
        KEY, b".".join([message_id.encode(), timestamp.encode(), received.body]), hashlib.sha256
    ).digest()
    offered = [part.split(",", 1) for part in received.headers["webhook-signature"].split(" ")]
    return any(kind == "v1" and hmac.compare_digest(base64.b64decode(value), expected) for kind, value in offered)


def test_a_message_is_posted_signed_and_done_with(post: Post, world):
    job_id = post.owe(world.on("/hook", lambda exchange: exchange.say(204)))
    assert post.deliver() == 1
    (received,) = world.received
    assert received.method == "POST"
    assert received.headers["content-type"] == "application/json"
    assert is_signed(received)
    assert json.loads(received.body)["data"]["job_id"] == job_id
    assert json.loads(received.body)["data"]["metadata"] == {"who": "Zoé"}
    shown = post.view(job_id)
    assert (shown.state, shown.attempts, shown.last_status, shown.next_at) == ("DELIVERED", 1, 204, None)
    assert [(one.status, one.error) for one in shown.tries] == [(204, None)]
    assert shown.delivered_at is not None
    assert post.deliver() == 0


def test_a_changed_body_no_longer_fits_its_signature(post: Post, world):
    post.owe(world.on("/hook", lambda exchange: exchange.say()))
    post.deliver()
    (received,) = world.received
    received.body += b" "
    assert not is_signed(received)


@pytest.mark.parametrize("status", [302, 400, 401, 404, 429, 500, 503])
def test_a_message_that_is_not_taken_is_tried_again_later(post: Post, world, status):
    job_id = post.owe(world.on("/hook", lambda exchange: exchange.say(status, Location=world.url("/elsewhere"))))
    post.deliver()
    shown = post.view(job_id)
    assert (shown.state, shown.attempts, shown.last_status) == ("PENDING", 1, status)
    assert 0.8 * WAITS_S[0] - 2 < post.due_in_s(job_id) < 1.2 * WAITS_S[0]
    assert [one.path for one in world.received] == ["/hook"], "redirects of a POST are not followed"


def test_all_tries_of_a_message_share_their_id_and_body(post: Post, world):
    post.owe(world.on("/hook", lambda exchange: exchange.say(500)))
    for _ in range(3):
        post.deliver()
        post.pass_time(hours=8)
    assert len({one.headers["webhook-id"] for one in world.received}) == 1
    assert len({one.body for one in world.received}) == 1
    assert all(is_signed(one) for one in world.received)


def test_waits_grow_and_a_receiver_that_never_takes_it_is_given_up(post: Post, world):
    job_id = post.owe(world.on("/hook", lambda exchange: exchange.say(500)))
    for wait in WAITS_S:
        post.deliver()
        assert post.due_in_s(job_id) == pytest.approx(wait, rel=0.21, abs=2)
        post.pass_time(days=1)
    assert post.view(job_id).state == "PENDING"
    post.deliver()
    shown = post.view(job_id)
    assert (shown.state, shown.attempts, len(shown.tries)) == ("FAILED", len(WAITS_S) + 1, len(WAITS_S) + 1)
    post.pass_time(days=1)
    assert post.deliver() == 0


def test_a_receiver_that_comes_back_gets_it(post: Post, world):
    job_id = post.owe(world.on("/hook", lambda exchange: exchange.say(503)))
    post.deliver()
    world.on("/hook", lambda exchange: exchange.say(200))
    post.pass_time(minutes=1)
    post.deliver()
    assert [one.status for one in post.view(job_id).tries] == [503, 200]


def test_a_receiver_that_is_gone_is_not_asked_again(post: Post, world):
    job_id = post.owe(world.on("/hook", lambda exchange: exchange.say(410)))
    post.deliver()
    post.pass_time(days=1)
    assert post.deliver() == 0
    assert post.view(job_id).state == "GONE"


def test_a_receiver_that_cannot_be_reached_is_told_without_its_address(post: Post):
    with outside() as gone:
        url = gone.url("/hook?token=hunter2")
    job_id = post.owe(url)
    post.deliver()
    shown = post.view(job_id)
    assert (shown.state, shown.last_status, shown.last_error) == ("PENDING", None, "the server cannot be reached")


def test_a_private_receiver_is_not_reached(post: Post, world):
    job_id = post.owe(world.on("/hook", lambda exchange: exchange.say()))
    post.deliver(guard=Guard())
    assert world.received == []
    assert "not on the public Internet" in (post.view(job_id).last_error or "")


def test_a_receiver_that_hangs_is_left_and_holds_up_nobody(post: Post, world):
    with outside() as slow:
        for _ in range(12):
            post.owe(slow.on("/hook", slow.hang))
        quick = [post.owe(world.on("/hook", lambda exchange: exchange.say())) for _ in range(3)]
        deliverer = post.deliverer(total_s=30)
        begun_s = time.monotonic()
        while any(post.view(job_id).state != "DELIVERED" for job_id in quick):
            deliverer.step()
            deliverer.wait_for_end(0.05)
            assert time.monotonic() - begun_s < 25, "the quick ones waited for those that hang"
        assert len(slow.received) <= 2
        slow.over.set()
        assert deliverer.wait_until_idle(20)


def test_a_hang_ends_as_a_failed_try(post: Post, world):
    job_id = post.owe(world.on("/hook", world.hang))
    post.deliver(total_s=0.3)
    shown = post.view(job_id)
    assert (shown.state, shown.last_status, shown.last_error) == ("PENDING", None, "the server took too long")


def test_an_answer_without_end_is_not_read(post: Post, world):
    job_id = post.owe(world.on("/hook", world.drip))
    post.deliver(total_s=5)
    assert post.view(job_id).state == "DELIVERED"


def test_two_deliverers_do_not_send_the_same_message(post: Post, world):
    jobs = [post.owe(world.on("/hook", lambda exchange: exchange.say())) for _ in range(12)]
    pair = [post.deliverer(), post.deliverer()]
    with ThreadPoolExecutor(2) as pool:
        while any(post.view(job_id).state != "DELIVERED" for job_id in jobs):
            list(pool.map(Deliverer.step, pair))
    assert all(deliverer.wait_until_idle(20) for deliverer in pair)
    assert len(world.received) == len({one.headers["webhook-id"] for one in world.received}) == 12


def test_a_try_whose_deliverer_died_is_made_again_after_its_lease_and_not_before(post: Post, world):
    job_id = post.owe(world.on("/hook", lambda exchange: exchange.say()))
    (lost,) = DeliveryLedger(post.house.database, lease_s=60).take(8)
    assert lost.message.payload["data"]["job_id"] == job_id
    assert post.deliver() == 0
    assert post.due_in_s(job_id) > 50
    post.pass_time(seconds=61)
    assert post.deliver() == 1
    assert (post.view(job_id).state, post.view(job_id).attempts) == ("DELIVERED", 2)


def test_a_late_outcome_does_not_overrule_the_try_that_came_after(post: Post, world):
    job_id = post.owe(world.on("/hook", lambda exchange: exchange.say(500)))
    ledger = DeliveryLedger(post.house.database)
    (late,) = ledger.take(8)
    post.pass_time(minutes=2)
    post.deliver()
    courier = Courier(Outbound(Guard(allow_private=True)), KEY)
    world.on("/hook", lambda exchange: exchange.say(200))
    assert ledger.record(late, courier.carry(late.message)) is None
    assert (post.view(job_id).state, len(post.view(job_id).tries)) == ("PENDING", 1)


@pytest.mark.parametrize("status", [200, 410, 500])
def test_a_message_can_be_sent_again_by_hand(post: Post, world, status):
    job_id = post.owe(world.on("/hook", lambda exchange: exchange.say(status)))
    post.deliver()
    first = post.view(job_id)
    again = Deliveries(post.house.database).resend(ANONYMOUS, job_id, first.id)
    assert (again.state, again.id) == ("PENDING", first.id)
    world.on("/hook", lambda exchange: exchange.say(200))
    assert post.deliver() == 1
    shown = post.view(job_id)
    assert (shown.state, len(shown.tries)) == ("DELIVERED", 2)
    assert len({one.headers["webhook-id"] for one in world.received}) == 1


def test_what_is_being_tried_is_not_sent_twice_by_hand(post: Post, world):
    job_id = post.owe(world.on("/hook", lambda exchange: exchange.say()))
    DeliveryLedger(post.house.database).take(8)
    Deliveries(post.house.database).resend(ANONYMOUS, job_id, post.view(job_id).id)
    assert post.deliver() == 0


def test_nothing_is_begun_beyond_what_may_go_on_at_once(post: Post, world):
    servers = []
    with outside() as one, outside() as two:
        servers = [one, two]
        for i, server in enumerate(servers):
            post.owe(server.on("/hook", server.hang).replace("127.0.0.1", f"127.0.0.{i + 1}"))
        outbound = Outbound(Guard(allow_private=True, resolve=lambda *_: ["127.0.0.1"]))
        courier = Courier(outbound, KEY, Patience(30, silence_s=30))
        deliverer = Deliverer(DeliveryLedger(post.house.database), courier, at_once=1)
        assert [deliverer.step(), deliverer.step()] == [1, 0]
        wait_for(lambda: len(one.received) + len(two.received) == 1)
        for server in servers:
            server.over.set()
        assert deliverer.wait_until_idle(20)
