"""The Redis layer of live sessions: what clients send, what workers say."""

import socket
import threading
import time
from collections.abc import Iterator
from uuid import uuid4

import pytest
import redis

from app.domain.errors import StreamLost, TakenOver
from app.queues.connection import connect
from app.queues.direct import Direct
from app.queues.live_input import APPENDS_AT_ONCE, END, FINALIZE, MANY, Append, LiveInput
from app.queues.live_output import GAP, LiveFeed, LiveMessage, LiveOutput
from tests.workers import wait_for

ONE, TWO = "gate1:a", "gate2:b"
START = (0, 0)


@pytest.fixture
def client(redis_url) -> Iterator["redis.Redis"]:
    client = connect(redis_url, read_timeout_s=8)
    client.flushall()
    client.script_flush()
    yield client
    client.close()


@pytest.fixture
def live(client) -> LiveInput:
    return LiveInput(client)


@pytest.fixture
def job() -> str:
    return str(uuid4())


def sound_of(live: LiveInput, job: str, cursor: tuple[int, int] = START) -> bytes:
    return b"".join(entry.data for entry in live.read({job: cursor}, 1) if entry.kind == "a")


def test_sound_arrives_in_order_with_its_place(live, job):
    assert live.take_over(job, ONE, 0) == 0
    assert live.append(job, ONE, 0, b"abcd") == 4
    assert live.append(job, ONE, 4, b"ef") == 6
    assert [(entry.start_byte, entry.end_byte, entry.data) for entry in live.read({job: START}, 1)] == [
        (0, 4, b"abcd"),
        (4, 6, b"ef"),
    ]
    assert sound_of(live, job, (4, 0)) == b"ef"


def test_large_frames_are_cut_so_that_a_reader_takes_in_bounded_pieces(live, job):
    live.take_over(job, ONE, 0)
    data = bytes(range(256)) * 400
    assert live.append(job, ONE, 0, data) == len(data)
    entries = live.read({job: START}, 1)
    assert max(len(entry.data) for entry in entries) == 32768
    assert b"".join(entry.data for entry in entries) == data


def test_what_is_sent_again_is_not_added_twice(live, job):
    live.take_over(job, ONE, 0)
    live.append(job, ONE, 0, b"abcd")
    assert live.append(job, ONE, 0, b"abcd") == 4
    assert live.append(job, ONE, 2, b"cdef") == 6
    assert sound_of(live, job) == b"abcdef"


def test_sound_that_leaves_a_gap_is_refused(live, job):
    live.take_over(job, ONE, 0)
    with pytest.raises(StreamLost):
        live.append(job, ONE, 2, b"cd")


def test_many_sessions_are_added_to_in_one_go_and_each_has_its_own_answer(live, client):
    jobs = [str(uuid4()) for _ in range(3)]
    live.take_over(jobs[0], ONE, 0)
    live.take_over(jobs[1], TWO, 0)
    client.script_flush()
    answers = live.append_many([Append(job, ONE, 0, b"ab") for job in jobs])
    assert answers[0] == 2
    assert isinstance(answers[1], TakenOver)
    assert isinstance(answers[2], StreamLost)


def test_more_sessions_than_one_run_of_the_script_adds_to_are_added_to_each_once(live, client):
    jobs = [str(uuid4()) for _ in range(2 * APPENDS_AT_ONCE + 1)]
    for job in jobs:
        live.take_over(job, ONE, 0)
    client.script_flush()
    added = [Append(job, ONE, 0, job.encode()) for job in jobs]
    assert live.append_many(added) == live.append_many(added) == [36] * len(jobs)
    entries = live.read(dict.fromkeys(jobs, START), 1)
    assert {entry.job_id: entry.data.decode() for entry in entries} == {job: job for job in jobs}
    assert len(entries) == len(jobs)


def test_whoever_takes_over_goes_on_where_the_one_before_was(live, job):
    live.take_over(job, ONE, 0)
    live.append(job, ONE, 0, b"abcd")
    assert live.take_over(job, TWO, 0) == 4
    with pytest.raises(TakenOver):
        live.append(job, ONE, 4, b"ef")
    with pytest.raises(TakenOver):
        live.control(job, ONE, FINALIZE)
    assert live.append(job, TWO, 4, b"ef") == 6
    assert live.keep_owner({job: ONE}) == {job}
    assert live.keep_owner({job: TWO}) == set()


def test_after_a_loss_the_client_sends_again_what_was_not_committed(live, client, job):
    live.take_over(job, ONE, 0)
    live.append(job, ONE, 0, b"abcdef")
    live.control(job, ONE, FINALIZE)
    read_to = [(entry.end_byte, entry.n) for entry in live.read({job: START}, 1)][-1]
    client.flushall()
    with pytest.raises(StreamLost):
        live.append(job, ONE, 6, b"gh")
    assert live.keep_owner({job: ONE}) == {job}
    assert live.take_over(job, ONE, 2) == 2
    live.append(job, ONE, 2, b"cdef")
    live.control(job, ONE, FINALIZE)
    live.append(job, ONE, 6, b"gh")
    entries = live.read({job: read_to}, 1)
    assert [entry.kind for entry in entries] == [FINALIZE, "a"]
    assert sound_of(live, job) == b"cdefgh"


def test_an_owner_that_leaves_is_gone_and_one_that_was_replaced_takes_nobody_along(live, job):
    live.take_over(job, ONE, 0)
    assert live.look([job])[job].has_owner
    live.take_over(job, TWO, 0)
    live.leave(job, ONE)
    assert live.look([job])[job].has_owner
    live.leave(job, TWO)
    assert not live.look([job])[job].has_owner
    with pytest.raises(TakenOver):
        live.append(job, TWO, 0, b"ab")


def test_a_session_ended_for_a_client_that_has_gone_takes_no_more_sound(live, job):
    live.take_over(job, ONE, 0)
    live.append(job, ONE, 0, b"abcd")
    live.end(job, 2)
    assert [(entry.kind, entry.end_byte) for entry in live.read({job: (4, 0)}, 1)] == [(END, 4)]
    with pytest.raises(TakenOver):
        live.append(job, ONE, 4, b"ef")


def test_a_session_that_redis_lost_can_be_ended_all_the_same(live, job):
    live.end(job, 1234)
    assert [(entry.kind, entry.end_byte) for entry in live.read({job: (1234, 0)}, 1)] == [(END, 1234)]


def test_a_session_is_not_ended_before_what_its_worker_has_read(live, job):
    live.take_over(job, ONE, 0)
    live.append(job, ONE, 0, b"abcd")
    live.end(job, 1234)
    assert [(entry.kind, entry.end_byte) for entry in live.read({job: (1234, 0)}, 1)] == [(END, 1234)]
    assert live.look([job])[job].received == 1234


def test_committed_sound_is_dropped_and_the_rest_stays(live, job):
    live.take_over(job, ONE, 0)
    for at in range(0, 10, 2):
        live.append(job, ONE, at, b"ab")
    live.control(job, ONE, FINALIZE)
    live.trim({job: 6})
    assert [(entry.end_byte, entry.kind) for entry in live.read({job: START}, 1)] == [(8, "a"), (10, "a"), (10, "f")]
    assert live.append(job, ONE, 10, b"ab") == 12
    live.forget(job)
    assert live.look([job])[job].received is None


def test_a_reader_waits_for_sound_of_any_of_its_sessions(live, redis_url):
    jobs = [str(uuid4()) for _ in range(3)]
    for job in jobs:
        live.take_over(job, ONE, 0)
    writer = LiveInput(connect(redis_url))
    timer = threading.Timer(0.2, lambda: writer.append(jobs[2], ONE, 0, b"ab"))
    timer.start()
    [entry] = live.read(dict.fromkeys(jobs, START), 5000)
    assert (entry.job_id, entry.data) == (jobs[2], b"ab")


class Heard(list[LiveMessage]):
    """What a listener was told."""

    def types(self) -> list[str]:
        return [message.type for message in self if message.type != GAP]


@pytest.fixture
def feeds(redis_url) -> dict[str, LiveFeed]:
    return {name: LiveFeed(connect(redis_url, read_timeout_s=8), name) for name in ("gate1", "gate2")}


def test_words_go_to_the_gateway_that_has_the_session_now(live, client, feeds, job):
    output, here, there = LiveOutput(client), Heard(), Heard()
    with feeds["gate1"].listening(job, here.append), feeds["gate2"].listening(job, there.append):
        live.take_over(job, ONE, 0)
        output.publish([LiveMessage(job, "partial", 1, {"text": "hel"}), LiveMessage(job, "partial", 1)])
        wait_for(lambda: here.types() == ["partial", "partial"])
        live.take_over(job, TWO, 0)
        output.publish([LiveMessage(job, "final", 1, {"seq": 1})])
        wait_for(lambda: there.types() == ["final"])
        wait_for(lambda: here.types() == ["partial", "partial", "taken_over"])
        assert here[-1].fields == {"owner": ONE}
        assert next(one for one in there if one.type == "final").fields == {"seq": 1}


def test_a_run_that_was_replaced_is_not_heard_any_more(live, client, feeds, job):
    output, heard = LiveOutput(client), Heard()
    with feeds["gate1"].listening(job, heard.append):
        live.take_over(job, ONE, 0)
        output.publish([LiveMessage(job, "partial", 2), LiveMessage(job, "zombie", 1), LiveMessage(job, "final", 2)])
        wait_for(lambda: heard.types() == ["partial", "final"])


def test_a_listener_is_told_that_it_may_have_missed_something(live, client, feeds, job):
    heard = Heard()
    with feeds["gate1"].listening(job, heard.append):
        wait_for(lambda: len(heard) == 1)
        client.client_kill_filter(_type="pubsub")
        wait_for(lambda: [message.type for message in heard] == [GAP, GAP])
        live.take_over(job, ONE, 0)
        LiveOutput(client).publish([LiveMessage(job, "partial", 1)])
        wait_for(lambda: heard.types() == ["partial"])
    count = len(heard)
    LiveOutput(client).publish([LiveMessage(job, "partial", 1)])
    time.sleep(0.2)
    assert len(heard) == count


def test_a_reader_of_many_that_waits_is_given_what_all_of_them_get_together(redis_url, live):
    jobs = [str(uuid4()) for _ in range(MANY)]
    for job in jobs:
        live.take_over(job, ONE, 0)
    reader, found = LiveInput(connect(redis_url, read_timeout_s=8)), []
    reading = threading.Thread(target=lambda: found.extend(reader.read(dict.fromkeys(jobs, START), 5000)))
    reading.start()
    wait_for(lambda: live._redis.info("clients")["blocked_clients"])
    live.append_many([Append(job, ONE, 0, b"ab") for job in jobs])
    reading.join(8)
    assert {entry.job_id for entry in found} == set(jobs)


def test_what_a_redis_beside_us_is_sent_fits_into_what_the_system_takes_at_once_also_when_it_is_back(client):
    direct = Direct(client)
    for _ in range(2):
        assert direct(("PING",)) == [b"PONG"]
        [connection] = direct._idle
        usual = socket.socket(socket.AF_UNIX).getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
        assert connection._sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) > usual
        connection.disconnect()
