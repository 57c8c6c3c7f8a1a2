"""A real streaming worker with the scripted engine: what is sent comes back as words, whatever breaks meanwhile."""

import time
from collections.abc import Iterator

import numpy as np
import pytest

from app.domain.errors import StreamLost, TakenOver
from app.domain.job import JobOptions, Mode
from app.domain.principal import ANONYMOUS
from app.queues.events import EventLog
from app.queues.hints import HintQueue
from app.queues.presence import list_workers
from app.services.jobs.control import Control
from app.services.media.folder import FolderStorage
from tests.live import (
    IN_MID_UTTERANCE,
    LIVE_SETTINGS,
    SOUND,
    Gateway,
    N,
    is_undisturbed,
    quiet,
    resend,
    speech,
    texts,
    tone,
    words_of,
)
from tests.workers import Site, wait_for

pytestmark = pytest.mark.usefixtures("clean")


@pytest.fixture(scope="module")
def site(postgres_url, redis_url, tmp_path_factory) -> Iterator[Site]:
    """One worker for all tests here; those that end it are in tests/faults."""
    settings = {**LIVE_SETTINGS, "RETRY_BASE_S": "0.1"}
    site = Site(postgres_url, redis_url, tmp_path_factory.mktemp("live"), settings)
    with site.worker("--concurrency", "2", mode="streaming"):
        yield site


def test_words_come_while_they_are_said_and_are_kept(house, gateway, site):
    with gateway.connected(gateway.open()) as client:
        client.send(SOUND, pace=4)
        client.stop()
        is_undisturbed(client, gateway)
        partials = [message.fields for message in client.of("partial")]
        assert {partial["seq"] for partial in partials} == set(range(1, N + 1))
        assert partials[0]["text"] == "300"
        assert client.of("completed")[0].fields["duration"] == pytest.approx(len(SOUND) / 32000, abs=0.001)
        row = house.row(client.job_id)
        assert (row.state, row.attempt, row.crashes) == ("COMPLETED", 1, 0)
        wait_for(lambda: not list(house.client.scan_iter(f"s:{client.job_id}:*")))
        events = EventLog(house.client).read(client.job_id, 0)
        said = [event.fields["segment"]["text"] for event in events if event.type == "segment"]
        assert said == words_of(N)


def test_of_a_session_that_is_behind_there_are_no_partials_and_all_finals(gateway, site):
    with gateway.connected(gateway.open()) as client:
        client.sent = client.live.append(client.job_id, client.owner, 0, SOUND)
        client.stop()
        is_undisturbed(client, gateway)
        assert client.of("partial") == []


def test_no_partial_of_a_later_utterance_comes_before_the_final_of_the_one_before(gateway, site):
    with gateway.connected(gateway.open()) as client:
        client.send(SOUND, pace=8)
        client.stop()
        client.wait("completed")
        assert len(client.of("partial")) >= N
        last = 0
        for message in client.told:
            if message.type == "final":
                last = message.fields["seq"]
            elif message.type == "partial":
                assert message.fields["seq"] > last


def test_many_sessions_at_once_do_not_mix(gateway, site):
    sounds = {hz: speech(2, first_hz=hz) for hz in range(300, 1500, 200)}
    clients = {}
    connections = []
    for hz in sounds:
        connections.append(gateway.connected(gateway.open()))
        clients[hz] = connections[-1].__enter__()
    while any(client.sent < len(sounds[hz]) for hz, client in clients.items()):
        for hz, client in clients.items():
            client.send(sounds[hz], upto=min(client.sent + 9_999, len(sounds[hz])))
    for hz, client in clients.items():
        client.stop()
        client.wait("completed")
        assert client.finals() == words_of(2, first_hz=hz)
    for connection in connections:
        connection.__exit__(None, None, None)


def test_finalize_says_for_good_what_is_open_and_the_stream_goes_on(gateway, site):
    sound = np.concatenate([tone(400), quiet(0.1), tone(500), quiet(0.1)]).tobytes()
    with gateway.connected(gateway.open(interim_results=False)) as client:
        client.send(sound)
        client.finalize()
        client.wait("final")
        client.sent = client.live.append(client.job_id, client.owner, len(sound), sound)
        client.stop()
        client.wait("completed")
        assert client.finals() == ["400 500", "400 500"]
        assert client.of("partial") == []


def test_a_session_that_takes_its_child_down_is_given_up_and_its_neighbours_go_on(house, gateway, site):
    poison = gateway.open(JobOptions(hotwords=("crash:420",)))
    with gateway.connected(gateway.open()) as client, gateway.connected(poison) as killer:
        client.send(SOUND, upto=IN_MID_UTTERANCE)
        killer.send(SOUND)
        [error] = killer.wait("error")
        assert error.fields["code"] == "poisoned"
        client.send(SOUND)
        client.stop()
        is_undisturbed(client, gateway)
        assert texts(gateway.finals(killer.job_id)) == words_of(1)
    rows = house.row(killer.job_id), house.row(client.job_id)
    assert [(row.state, row.error_code, row.crashes) for row in rows] == [
        ("FAILED", "poisoned", 3),
        ("COMPLETED", None, 0),
    ]


def test_redis_emptied_in_mid_utterance_costs_the_client_a_resend(house, gateway, site):
    with gateway.connected(gateway.open()) as client:
        client.send(SOUND, upto=IN_MID_UTTERANCE)
        client.wait("final")
        house.client.flushall()
        with pytest.raises(StreamLost):
            client.send(SOUND)
        client.session = gateway.sessions.attach(ANONYMOUS, client.job_id, client.session.resume_token)
        assert 0 < client.take_over() == client.session.committed_byte < IN_MID_UTTERANCE
        client.send(SOUND)
        client.stop()
        is_undisturbed(client, gateway)


def test_another_connection_takes_over_and_goes_on(house, redis_url, gateway, site):
    with gateway.connected(gateway.open()) as client:
        client.send(SOUND, upto=IN_MID_UTTERANCE)
        client.wait("final")
        elsewhere = Gateway(house, redis_url)
        again = elsewhere.sessions.attach(ANONYMOUS, client.job_id, client.session.resume_token)
        with elsewhere.connected(again) as second:
            assert second.sent == IN_MID_UTTERANCE
            assert client.wait("taken_over")[0].fields["owner"] == client.owner
            with pytest.raises(TakenOver):
                client.send(SOUND)
            second.send(SOUND)
            second.stop()
            second.wait("completed")
            assert texts(elsewhere.finals(client.job_id)) == words_of(N)


def test_a_session_whose_client_has_gone_is_finished_with_what_came(house, gateway, site):
    with gateway.connected(gateway.open()) as client:
        client.send(SOUND, upto=IN_MID_UTTERANCE)
        client.live.leave(client.job_id, client.owner)
    wait_for(lambda: house.row(client.job_id).state == "COMPLETED")
    row = house.row(client.job_id)
    assert row.duration_s == pytest.approx(IN_MID_UTTERANCE / 32000, abs=0.01)
    assert words_of(N)[:1] == texts(gateway.finals(client.job_id))[:1]


def test_a_cancelled_session_ends_and_its_client_is_told(house, gateway, site):
    with gateway.connected(gateway.open()) as client:
        client.send(SOUND, upto=IN_MID_UTTERANCE)
        client.wait("final")
        house.change(client.job_id, cancel_requested=True)
        assert client.wait("ended")[0].fields["state"] == "CANCELLED"
        assert house.row(client.job_id).state == "CANCELLED"


def test_a_session_that_the_engine_fails_on_is_tried_again_and_then_fails_with_its_error(house, gateway, site):
    with gateway.connected(gateway.open(JobOptions(hotwords=("fail:420",)))) as client:
        client.send(SOUND)
        [error] = client.wait("error")
        assert (error.fields["code"], error.fields["params"]) == ("engine_error", {"reason": "scripted"})
    assert texts(gateway.finals(client.job_id)) == words_of(1)
    row = house.row(client.job_id)
    assert (row.state, row.error_code, row.failures) == ("FAILED", "engine_error", 3)


def test_what_is_not_yet_heard_stays_in_redis_and_the_worker_takes_in_a_bounded_part(house, gateway, site):
    slow = JobOptions(hotwords=("sleep:*:0.5",))
    with gateway.connected(gateway.open(slow)) as client:
        client.send(speech(20))
        wait_for(lambda: house.client.xlen(f"s:{client.job_id}:in") > 200)
        progress = client.wait("progress", 3)[-1].fields
        assert progress["received_byte"] > progress["read_byte"] + 4 * 32000
        assert progress["lag_s"] > 4
        [worker] = wait_for(lambda: [one for one in list_workers(house.client) if one.lag_s > 4])
        assert (worker.slots, worker.busy) == (12, 1)


def test_a_client_that_pauses_is_told_that_all_it_sent_was_heard(gateway, site):
    with gateway.connected(gateway.open()) as client:
        client.send(quiet(0.5).tobytes(), pace=1)
        wait_for(lambda: any(message.fields["read_byte"] == 16_000 for message in client.of("progress")))
        assert client.of("progress")[-1].fields["lag_s"] == 0


def test_a_deleted_session_leaves_no_sound_behind(house, gateway, site, tmp_path):
    queues = {mode: HintQueue(house.client, mode) for mode in Mode}
    control = Control(house.database, FolderStorage(tmp_path), queues, house.events, house.narrator)
    with gateway.connected(gateway.open()) as client:
        client.send(SOUND, upto=IN_MID_UTTERANCE)
        client.wait("final")
        control.delete(ANONYMOUS, client.job_id)
        with pytest.raises(StreamLost):
            client.send(SOUND)
        wait_for(lambda: [one for one in list_workers(house.client) if one.fenced and not one.busy])
        assert not list(house.client.scan_iter(f"s:{client.job_id}:*"))


def test_a_postgresql_that_cuts_all_connections_loses_nothing(house, gateway, site):
    with gateway.connected(gateway.open()) as client:
        for part in range(1, 9):
            client.send(SOUND, upto=len(SOUND) * part // 8 // 2 * 2)
            with house.engine.connect() as connection:
                cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'parloir-worker'"
                connection.exec_driver_sql(cut)
            time.sleep(0.1)
        client.stop()
        is_undisturbed(client, gateway)
        assert house.row(client.job_id).failures == 0
    assert "part_broke" not in site.logs()


def test_without_postgresql_finals_wait_and_none_is_lost(house, gateway, site):
    with gateway.connected(gateway.open()) as client:
        client.send(SOUND, upto=IN_MID_UTTERANCE)
        client.wait("final")
        n_told = len(client.of("final"))
        with house.engine.connect() as blocker:
            blocker.exec_driver_sql("LOCK TABLE job_segments IN ACCESS EXCLUSIVE MODE")
            resend(client, SOUND)
            client.stop()
            time.sleep(1.0)
            assert len(client.of("final")) == n_told
        is_undisturbed(client, gateway)
