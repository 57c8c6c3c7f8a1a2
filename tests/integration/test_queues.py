"""The Redis part: order, fairness, and events."""

import socket
import threading
import time
from collections import Counter
from uuid import uuid4

import pytest
import redis

from app.domain.errors import Unavailable
from app.domain.job import Mode
from app.queues.breaker import Breaker
from app.queues.connection import connect
from app.queues.events import Event, EventLog
from app.queues.hints import Hint, HintQueue
from app.queues.hub import GAP, MAX_WAITING, EventHub, Mailbox
from tests.workers import wait_for


@pytest.fixture
def client(clean, redis_url):
    with connect(redis_url, read_timeout_s=5) as client:
        yield client


@pytest.fixture
def queue(client):
    return HintQueue(client, Mode.BATCH)


def hint(project="p", rank=1, cost=10.0, job_id=None) -> Hint:
    return Hint(job_id or str(uuid4()), project, rank, cost)


def take_all(queue: HintQueue) -> list[str]:
    return [queue.take(1) for _ in range(queue.depth())]


def test_a_job_is_offered_once(queue):
    same = hint()
    assert [queue.offer(same), queue.offer(same)] == [1, 0]
    assert queue.depth() == 1


def test_one_project_is_served_in_the_order_it_came(queue):
    hints = [hint(cost=cost) for cost in (50, 1, 9)]
    queue.offer(*hints)
    assert take_all(queue) == [h.job_id for h in hints]


def test_priority_comes_before_everything(queue):
    low, normal, high = hint(rank=2), hint(rank=1), hint(rank=0)
    queue.offer(low, normal, high)
    assert take_all(queue) == [high.job_id, normal.job_id, low.job_id]


def test_a_thousand_files_of_one_project_do_not_hold_up_the_single_one_of_another(queue):
    queue.offer(*(hint("many") for _ in range(1000)))
    single = hint("one")
    queue.offer(single)
    assert single.job_id in [queue.take(1) for _ in range(2)]


def test_projects_share_by_length_of_sound_and_weight(queue):
    owner = {}
    for i in range(200):
        for project, cost in (("short", 10), ("long", 40), ("heavy", 10 / 2)):
            h = hint(project, cost=cost, job_id=f"{project}-{i}")
            owner[h.job_id] = project
            queue.offer(h)
    served = Counter(owner[queue.take(1)] for _ in range(140))
    # In the time that `long` has one job of 40 s, `short` has four of 10 s, and `heavy`, of weight 2, has eight.
    assert served["long"] == pytest.approx(140 / 13, abs=2)
    assert served["short"] == pytest.approx(4 * 140 / 13, abs=3)
    assert served["heavy"] == pytest.approx(8 * 140 / 13, abs=4)


def test_a_project_that_comes_back_does_not_pay_for_what_it_had_while_nobody_waited(queue):
    queue.offer(hint("busy", cost=10_000))
    queue.take(1)
    back, first, second = hint("busy"), hint("other"), hint("other")
    queue.offer(back, first, second)
    served = take_all(queue)
    assert served.index(back.job_id) < served.index(second.job_id)


def test_positions_count_from_one(queue):
    first, second = hint(), hint()
    queue.offer(first, second)
    assert [queue.position(first.job_id), queue.position(second.job_id), queue.position("x")] == [1, 2, None]


def test_taking_from_an_empty_queue_gives_nothing(queue):
    assert queue.take(0.05) is None


def test_redis_away_is_told_as_unavailable(tmp_path):
    queue = HintQueue(connect(f"unix://{tmp_path}/none.sock"), Mode.BATCH)
    with pytest.raises(Unavailable):
        queue.offer(hint())


class Away:
    """A Redis that does not answer until it is told to."""

    def __init__(self) -> None:
        self.is_back = False
        self.n_waited = 0

    def ping(self) -> None:
        if not self.is_back:
            raise redis.ConnectionError

    def call(self) -> None:
        self.n_waited += 1
        if not self.is_back:
            raise redis.TimeoutError


def asked(breaker: Breaker, away: Away) -> None:
    breaker.call_with_retry(away.call, lambda _: None)


def test_one_call_waits_for_a_redis_that_is_gone_and_none_after_it():
    away = Away()
    breaker = Breaker(away.ping, rest_s=0.01)
    with pytest.raises(redis.TimeoutError):
        asked(breaker, away)
    for _ in range(20):
        time.sleep(0.005)
        with pytest.raises(redis.ConnectionError):
            asked(breaker, away)
    assert away.n_waited == 1


def test_a_redis_that_is_only_slow_is_let_rest_before_it_is_asked_again():
    slow = Away()
    slow.is_back = True
    breaker = Breaker(slow.ping, rest_s=60)
    with pytest.raises(redis.TimeoutError):
        breaker.call_with_retry(time_out, lambda _: None)
    time.sleep(0.1)
    assert not is_let_through(breaker, slow)


def time_out() -> None:
    raise redis.TimeoutError


def test_calls_go_through_again_by_themselves_once_redis_answers():
    away = Away()
    breaker = Breaker(away.ping, rest_s=0.01)
    with pytest.raises(redis.TimeoutError):
        asked(breaker, away)
    away.is_back = True
    wait_for(lambda: is_let_through(breaker, away))


def is_let_through(breaker: Breaker, away: Away) -> bool:
    try:
        asked(breaker, away)
    except redis.ConnectionError:
        return False
    return True


def test_nobody_asks_after_a_redis_that_nobody_uses_any_more():
    before = set(threading.enumerate())
    away = Away()
    breaker = Breaker(away.ping, rest_s=0.01)
    with pytest.raises(redis.TimeoutError):
        asked(breaker, away)
    (probe,) = set(threading.enumerate()) - before
    del breaker
    probe.join(10)
    assert not probe.is_alive()


def test_all_who_ask_one_redis_learn_from_one_of_them_that_it_is_silent(tmp_path):
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "redis.sock"))
        silent.listen()
        client = connect(f"unix://{tmp_path}/redis.sock", timeout_s=0.2)
        with pytest.raises(Unavailable):
            HintQueue(client, Mode.BATCH).offer(hint())
        for ask in (lambda: EventLog(client).read("j", 0), lambda: HintQueue(client, Mode.STREAMING).depth()):
            with pytest.raises(Unavailable) as refused:
                ask()
            assert "a moment ago" in str(refused.value.__cause__)


def test_events_are_read_in_order_after_a_sequence_number(client):
    log = EventLog(client)
    for seq in (0, 1_000_000, 1_000_001):
        assert log.append(Event("j", seq, "state", {"n": seq}))
    assert [event.seq for event in log.read("j", 0)] == [1_000_000, 1_000_001]
    assert log.read("j", 1_000_001) == []


def test_the_late_words_of_a_replaced_run_are_refused(client):
    log = EventLog(client)
    log.append(Event("j", 2_000_000, "state"))
    assert log.append(Event("j", 1_000_005, "segment")) is False
    assert [event.seq for event in log.read("j", -1)] == [2_000_000]


def test_the_hub_hands_events_to_those_who_watch_that_job(client, redis_url):
    hub, log = EventHub(connect(redis_url, read_timeout_s=5)), EventLog(client)
    with hub.mailbox("mine") as box, hub.mailbox("other") as other:
        assert [one.take(5).type for one in (box, other)] == [GAP, GAP]
        log.append(Event("mine", 1, "state"))
        assert box.take(5) == Event("mine", 1, "state")
        assert other.take(0) is None


def test_a_watcher_that_missed_events_finds_a_gap_before_those_that_came_after():
    box = Mailbox("j")
    for seq in range(MAX_WAITING + 2):
        box.put(Event("j", seq, "segment"))
    assert [box.take(0).type, box.take(0).seq, box.take(0)] == [GAP, MAX_WAITING + 1, None]


def test_a_subscription_that_was_lost_leaves_a_gap(client, redis_url):
    hub, log = EventHub(connect(redis_url, read_timeout_s=5)), EventLog(client)
    with hub.mailbox("mine") as box:
        assert box.take(5).type == GAP
        client.client_kill_filter(_type="pubsub")
        assert box.take(5).type == GAP
        log.append(Event("mine", 1, "state"))
        assert box.take(5) == Event("mine", 1, "state")


def test_a_queue_survives_a_reply_that_is_an_error(queue, client: redis.Redis):
    client.set(queue.name, "not a sorted set")
    with pytest.raises(Unavailable):
        queue.offer(hint())


def test_hints_that_were_taken_and_put_back_are_where_they_were(queue):
    hints = [hint() for _ in range(4)]
    queue.offer(*hints)
    taken = queue.take_more(3)
    assert [job_id for job_id, _ in taken] == [h.job_id for h in hints[:3]]
    queue.put_back(taken[1:])
    assert take_all(queue) == [h.job_id for h in hints[1:]]


def test_a_hint_and_its_event_go_out_though_redis_has_forgotten_the_scripts(queue, client):
    for _ in range(2):
        client.script_flush()
        one = hint()
        queue.offer_and_tell(one, Event(one.job_id, 0, "state"))
        assert queue.take(1) == one.job_id
        assert [event.seq for event in EventLog(client).read(one.job_id, -1)] == [0]
