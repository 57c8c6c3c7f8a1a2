"""A real streaming worker with the scripted engine: what is sent comes back as words, whatever breaks meanwhile."""

import os
import signal
import time
import wave
from collections.abc import Iterator

import numpy as np
import psutil
import pytest
from sqlalchemy import select

from app.domain.errors import StreamLost, TakenOver
from app.domain.job import JobOptions, Mode
from app.domain.principal import ANONYMOUS
from app.models import Job
from app.queues.events import EventLog
from app.queues.hints import HintQueue
from app.queues.presence import list_workers
from app.services.jobs.control import Control
from app.services.media.folder import FolderStorage
from tests.factories import House, make_house
from tests.live import Client, Gateway, quiet, resend, speech, texts, tone, words_of
from tests.workers import Site, descendants, stop, wait_for

pytestmark = pytest.mark.usefixtures("clean")
SETTINGS = {"STREAM_SLOTS": "6", "STREAM_ABANDONED_S": "1", "STREAM_BEAT_S": "0.3", "STREAM_LEASE_S": "1.5"}
N = 4
SOUND = speech(N)
IN_MID_UTTERANCE = int(len(SOUND) * 0.45) // 2 * 2


@pytest.fixture
def house(postgres_url, redis_url, clean) -> Iterator[House]:
    house = make_house(postgres_url, redis_url)
    yield house
    house.engine.dispose()


@pytest.fixture
def gateway(house, redis_url) -> Gateway:
    return Gateway(house, redis_url)


@pytest.fixture
def site(postgres_url, redis_url, tmp_path) -> Site:
    return Site(postgres_url, redis_url, tmp_path, dict(SETTINGS))


def stream_children(process) -> list[psutil.Process]:
    return [one for one in descendants(process) if "workers.streaming.child" in " ".join(one.cmdline())]


def is_undisturbed(client: Client, gateway: Gateway, n: int = N) -> None:
    """What was told and what is stored are, word for word, what an undisturbed run gives; each final told once."""
    client.wait("completed")
    assert texts(gateway.finals(client.job_id)) == words_of(n)
    told = {message.fields["seq"]: message.fields["segment"] for message in client.of("final")}
    assert [told[seq]["text"] for seq in sorted(told)] == words_of(n)
    assert [message.fields["seq"] for message in client.of("final")] == list(range(1, n + 1))
    words = [word for final in gateway.finals(client.job_id) for word in final.segment.words]
    starts = [round(word.start_s, 2) for word in words]
    assert starts == expected_starts(n)


def expected_starts(n: int) -> list[float]:
    starts, at = [], 0.3
    for word in range(n * 3):
        starts.append(round(at, 2))
        at += 0.2 + (0.9 if word % 3 == 2 else 0.1)
    return starts


def test_words_come_while_they_are_said_and_are_kept(house, gateway, site):
    with site.worker(mode="streaming"), gateway.connected(gateway.open()) as client:
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


def test_no_partial_of_a_later_utterance_comes_before_the_final_of_the_one_before(gateway, site):
    with site.worker(mode="streaming"), gateway.connected(gateway.open()) as client:
        client.send(SOUND)
        client.stop()
        client.wait("completed")
        last = 0
        for message in client.told:
            if message.type == "final":
                last = message.fields["seq"]
            elif message.type == "partial":
                assert message.fields["seq"] > last


def test_many_sessions_at_once_do_not_mix(gateway, site):
    with site.worker("--concurrency", "2", mode="streaming"):
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
    with site.worker(mode="streaming"), gateway.connected(gateway.open(interim_results=False)) as client:
        client.send(sound)
        client.finalize()
        client.wait("final")
        client.sent = client.live.append(client.job_id, client.owner, len(sound), sound)
        client.stop()
        client.wait("completed")
        assert client.finals() == ["400 500", "400 500"]
        assert client.of("partial") == []


def test_kept_sound_is_what_was_sent_and_is_refined(house, gateway, site):
    with (
        site.worker(mode="streaming"),
        site.worker(mode="batch"),
        gateway.connected(gateway.open(keep_audio=True, refine=True)) as client,
    ):
        client.send(SOUND)
        client.stop()
        client.wait("completed")
        row = house.row(client.job_id)
        with FolderStorage(site.folder / "audio").local_path(row.audio_key) as path, wave.open(str(path)) as file:
            assert file.readframes(10_000_000) == SOUND
        with house.database.work() as work:
            [refining] = work.session.scalars(select(Job.id).where(Job.source_id == row.id))
        wait_for(lambda: house.row(str(refining)).state == "COMPLETED")


def test_a_child_killed_in_mid_utterance_is_not_noticed(house, gateway, site):
    with site.worker(mode="streaming") as worker, gateway.connected(gateway.open(keep_audio=True)) as client:
        other_session = gateway.open()
        with gateway.connected(other_session) as other:
            for one in (client, other):
                one.send(SOUND, upto=IN_MID_UTTERANCE)
            client.wait("final")
            stream_children(worker)[0].kill()
            for one in (client, other):
                one.send(SOUND)
                one.stop()
                is_undisturbed(one, gateway)
        row = house.row(client.job_id)
        with FolderStorage(site.folder / "audio").local_path(row.audio_key) as path, wave.open(str(path)) as file:
            assert file.readframes(10_000_000) == SOUND


def test_a_session_that_takes_its_child_down_is_given_up_and_its_neighbours_go_on(house, gateway, site):
    with site.worker(mode="streaming"):
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


def test_a_child_that_hangs_is_ended_and_blamed_on_the_session_it_hung_on(house, gateway, site):
    site.settings |= {"STREAM_STALL_S": "1", "MAX_CRASHES": "1"}
    with site.worker(mode="streaming"):
        stuck = gateway.open(JobOptions(hotwords=("hang:300",)))
        with gateway.connected(gateway.open()) as client, gateway.connected(stuck) as hanging:
            client.send(SOUND)
            hanging.send(SOUND)
            assert hanging.wait("error")[0].fields["code"] == "poisoned"
            client.stop()
            is_undisturbed(client, gateway)


def test_a_worker_killed_in_mid_utterance_is_replaced(house, gateway, site):
    with site.worker(mode="streaming") as first, gateway.connected(gateway.open()) as client:
        client.send(SOUND, upto=IN_MID_UTTERANCE)
        client.wait("final")
        with site.worker(mode="streaming"):
            wait_for(lambda: len(list_workers(house.client)) == 2)
            os.kill(first.pid, signal.SIGKILL)
            killed_at = time.monotonic()
            client.send(SOUND)
            client.stop()
            is_undisturbed(client, gateway)
            assert time.monotonic() - killed_at < 8.0
    assert house.row(client.job_id).crashes == 1


def test_a_worker_that_stops_hands_its_sessions_over_at_once_and_without_blame(house, gateway, site):
    with site.worker(mode="streaming") as first, gateway.connected(gateway.open()) as client:
        client.send(SOUND, upto=IN_MID_UTTERANCE)
        client.wait("final")
        with site.worker(mode="streaming"):
            wait_for(lambda: len(list_workers(house.client)) == 2)
            assert stop(first) == 0
            client.send(SOUND)
            client.stop()
            is_undisturbed(client, gateway)
    row = house.row(client.job_id)
    assert (row.attempt, row.crashes, row.releases, row.failures) == (2, 0, 1, 0)


def test_a_worker_that_slept_past_its_lease_says_nothing_more(house, gateway, site):
    with site.worker(mode="streaming") as sleeper, gateway.connected(gateway.open()) as client:
        client.send(SOUND, upto=IN_MID_UTTERANCE)
        client.wait("final")
        with site.worker(mode="streaming"):
            wait_for(lambda: len(list_workers(house.client)) == 2)
            family = [psutil.Process(sleeper.pid), *descendants(sleeper)]
            for one in family:
                one.suspend()
            wait_for(lambda: house.row(client.job_id).attempt == 2)
            wait_for(lambda: any(message.run == 2 for message in client.told))
            n_told = len(client.told)
            for one in family:
                one.resume()
            client.send(SOUND, pace=4)
            client.stop()
            is_undisturbed(client, gateway)
            assert {message.run for message in client.told[n_told:]} <= {0, 2}
        assert "session_fenced" in site.logs()


def test_redis_emptied_in_mid_utterance_costs_the_client_a_resend(house, gateway, site):
    with site.worker(mode="streaming"), gateway.connected(gateway.open()) as client:
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
    with site.worker(mode="streaming"), gateway.connected(gateway.open()) as client:
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
    with site.worker(mode="streaming"):
        with gateway.connected(gateway.open()) as client:
            client.send(SOUND, upto=IN_MID_UTTERANCE)
            client.live.leave(client.job_id, client.owner)
        wait_for(lambda: house.row(client.job_id).state == "COMPLETED")
        row = house.row(client.job_id)
        assert row.duration_s == pytest.approx(IN_MID_UTTERANCE / 32000, abs=0.01)
        assert words_of(N)[:1] == texts(gateway.finals(client.job_id))[:1]


def test_a_cancelled_session_ends_and_its_client_is_told(house, gateway, site):
    with site.worker(mode="streaming"), gateway.connected(gateway.open()) as client:
        client.send(SOUND, upto=IN_MID_UTTERANCE)
        client.wait("final")
        house.change(client.job_id, cancel_requested=True)
        assert client.wait("ended")[0].fields["state"] == "CANCELLED"
        assert house.row(client.job_id).state == "CANCELLED"


def test_a_session_that_the_engine_fails_on_is_tried_again_and_then_fails_with_its_error(house, gateway, site):
    site.settings |= {"RETRY_BASE_S": "0.1"}
    with site.worker(mode="streaming"):
        with gateway.connected(gateway.open(JobOptions(hotwords=("fail:420",)))) as client:
            client.send(SOUND)
            [error] = client.wait("error")
            assert (error.fields["code"], error.fields["params"]) == ("engine_error", {"reason": "scripted"})
        assert texts(gateway.finals(client.job_id)) == words_of(1)
        row = house.row(client.job_id)
        assert (row.state, row.error_code, row.failures) == ("FAILED", "engine_error", 3)


def test_what_is_not_yet_heard_stays_in_redis_and_the_worker_takes_in_a_bounded_part(house, gateway, site):
    slow = JobOptions(hotwords=("sleep:*:0.5",))
    with site.worker(mode="streaming"), gateway.connected(gateway.open(slow)) as client:
        client.send(speech(20))
        wait_for(lambda: house.client.xlen(f"s:{client.job_id}:in") > 200)
        progress = client.wait("progress", 3)[-1].fields
        assert progress["received_byte"] > progress["read_byte"] + 4 * 32000
        assert progress["lag_s"] > 4
        [worker] = wait_for(lambda: [one for one in list_workers(house.client) if one.lag_s > 4])
        assert (worker.slots, worker.busy) == (6, 1)


def test_a_rate_that_is_not_ours_survives_a_lost_child_as_well(gateway, site):
    """44.1 kHz: what a client may forget lies at or before what is stored, and sound begins in the right place."""
    rate = 44_100
    at_s = np.arange(int(len(SOUND) / 32000 * rate)) / rate
    samples = np.frombuffer(SOUND, "<i2")
    sound = samples[np.minimum((at_s * 16_000).astype(int), len(samples) - 1)].astype("<i2").tobytes()
    upto = int(len(sound) * 0.45) // 2 * 2
    with site.worker(mode="streaming") as worker, gateway.connected(gateway.open(rate_hz=rate)) as client:
        client.send(sound, upto=upto)
        [final, *_] = client.wait("final")
        assert final.fields["committed_byte"] / 2 / rate == pytest.approx(final.fields["segment"]["end"] + 0.7, abs=0.1)
        stream_children(worker)[0].kill()
        client.send(sound)
        client.stop()
        is_undisturbed(client, gateway)


def test_a_worker_measures_how_many_sessions_it_can_have(house, site):
    del site.settings["STREAM_SLOTS"]
    with site.worker(mode="streaming"):
        [worker] = wait_for(lambda: [one for one in list_workers(house.client) if one.slots])
        assert worker.slots > 20


def test_a_deleted_session_leaves_no_sound_behind(house, gateway, site, tmp_path):
    queues = {mode: HintQueue(house.client, mode) for mode in Mode}
    control = Control(house.database, FolderStorage(tmp_path), queues, house.events, house.narrator)
    with site.worker(mode="streaming"), gateway.connected(gateway.open()) as client:
        client.send(SOUND, upto=IN_MID_UTTERANCE)
        client.wait("final")
        control.delete(ANONYMOUS, client.job_id)
        with pytest.raises(StreamLost):
            client.send(SOUND)
        [worker] = wait_for(lambda: [one for one in list_workers(house.client) if not one.busy])
        assert not list(house.client.scan_iter(f"s:{client.job_id}:*"))
        assert worker.fenced == 1


def test_a_postgresql_that_cuts_all_connections_loses_nothing(house, gateway, site):
    with site.worker(mode="streaming"), gateway.connected(gateway.open()) as client:
        for part in range(1, 9):
            client.send(SOUND, upto=len(SOUND) * part // 8 // 2 * 2)
            with house.engine.connect() as connection:
                cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'parloir-worker'"
                connection.exec_driver_sql(cut)
            time.sleep(0.1)
        client.stop()
        is_undisturbed(client, gateway)
        assert house.row(client.job_id).attempt == 1


def test_without_postgresql_finals_wait_and_none_is_lost(house, gateway, site):
    with site.worker(mode="streaming"), gateway.connected(gateway.open()) as client:
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
