"""Live sessions while workers and children die, hang, sleep and stop: the words are those of an undisturbed run."""

import os
import signal
import threading
import time
import wave
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import numpy as np
import psutil
import pytest
from sqlalchemy import select

from app.audio.live.webm import WebmDemuxer
from app.domain.job import JobOptions
from app.models import Job
from app.queues.live_input import END
from app.queues.presence import list_workers
from app.services.media.folder import FolderStorage
from tests.live import (
    CHUNK_BYTES,
    IN_MID_UTTERANCE,
    LIVE_SETTINGS,
    SOUND,
    N,
    as_opus,
    is_undisturbed,
    speech,
    stream_children,
    texts,
    words_of,
)
from tests.workers import PLUGINS, ROOT, Site, descendants, stop, wait_for

pytestmark = pytest.mark.usefixtures("clean")


@pytest.fixture
def site(postgres_url, redis_url, tmp_path) -> Site:
    return Site(postgres_url, redis_url, tmp_path, dict(LIVE_SETTINGS))


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


@pytest.mark.long
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


def test_a_session_is_ended_for_a_client_that_vanished_before_it_had_sent_again_what_redis_lost(house, gateway, site):
    """The worker has heard more than Redis knows of: what ends the session must not lie before that."""
    with site.worker(mode="streaming"):
        session = gateway.open()
        with gateway.connected(session) as client:
            client.send(SOUND, upto=IN_MID_UTTERANCE)
            wait_for(lambda: any(one.fields["read_byte"] == IN_MID_UTTERANCE for one in client.of("progress")))
            house.client.flushall()
        with gateway.connected(session) as client:
            client.send(SOUND, upto=client.sent + CHUNK_BYTES)
            assert client.sent < IN_MID_UTTERANCE
            gateway.live.leave(client.job_id, client.owner)
            wait_for(lambda: house.row(client.job_id).state == "COMPLETED", 30.0)
    assert house.row(client.job_id).duration_s == pytest.approx(IN_MID_UTTERANCE / 32_000)


def test_what_ends_a_session_for_its_client_may_be_lost_before_it_is_read(house, gateway, site):
    with site.worker(mode="streaming") as worker, gateway.connected(gateway.open()) as client:
        client.send(SOUND, upto=IN_MID_UTTERANCE)
        client.wait("final")
        [child] = stream_children(worker)
        child.suspend()
        client.send(SOUND)
        gateway.live.leave(client.job_id, client.owner)
        wait_for(lambda: is_ended(house, client.job_id))
        house.client.flushall()
        child.resume()
        wait_for(lambda: house.row(client.job_id).state == "COMPLETED", 30.0)
    heard = texts(gateway.finals(client.job_id))
    assert heard[0] == words_of(N)[0]


def is_ended(house, job_id: str) -> bool:
    """Whether the last thing in the input of a session is its end."""
    last = house.client.xrevrange(f"s:{job_id}:in", count=1)
    return bool(last) and END.encode() in last[0][1]


def test_a_child_that_hangs_between_two_pieces_of_sound_is_ended_and_blamed_on_nobody(house, gateway, site):
    site.settings |= {"STREAM_STALL_S": "1", "MAX_CRASHES": "1"}
    with site.worker(mode="streaming") as worker, gateway.connected(gateway.open()) as client:
        client.send(SOUND, upto=IN_MID_UTTERANCE)
        client.wait("final")
        [child] = stream_children(worker)
        wait_for(lambda: is_idle(child))
        child.suspend()
        client.send(SOUND)
        client.stop()
        is_undisturbed(client, gateway)
    row = house.row(client.job_id)
    assert (row.attempt, row.crashes) == (1, 0)


def is_idle(process: psutil.Process) -> bool:
    before = process.cpu_times()
    time.sleep(0.3)
    return process.cpu_times() == before


def test_a_worker_killed_in_mid_utterance_is_replaced(house, gateway, site):
    with site.worker(mode="streaming") as first, gateway.connected(gateway.open()) as client:
        client.send(SOUND, upto=IN_MID_UTTERANCE)
        client.wait("final")
        with site.worker(mode="streaming"):
            wait_for(lambda: len(list_workers(house.client)) == 2)
            os.kill(first.pid, signal.SIGKILL)
            client.send(SOUND)
            client.stop()
            is_undisturbed(client, gateway)
    row = house.row(client.job_id)
    assert (row.attempt, row.releases, row.failures) == (2, 0, 0)


def test_workers_lost_far_apart_are_not_held_against_a_session(house, gateway, site):
    """Two crashes in a row would give it up; here the second run gets on before it is lost."""
    site.settings["MAX_CRASHES"] = "2"
    with ExitStack() as workers:
        worker = workers.enter_context(site.worker(mode="streaming"))
        client = workers.enter_context(gateway.connected(gateway.open()))
        for n_lost, upto in enumerate((0.3, 0.6)):
            client.send(SOUND, upto=int(len(SOUND) * upto) // 2 * 2)
            client.wait("final", n_lost + 1)
            wait_for(lambda: house.row(client.job_id).crashes == 0)
            lost, worker = worker, workers.enter_context(site.worker(mode="streaming"))
            is_ready(house, worker)
            os.kill(lost.pid, signal.SIGKILL)
        client.send(SOUND)
        client.stop()
        is_undisturbed(client, gateway)
    assert house.row(client.job_id).attempt == 3


def test_a_session_left_without_a_child_is_given_to_another_worker(house, gateway, site):
    site.settings["CHILD_START_S"] = "6"
    with site.worker(mode="streaming") as first, gateway.connected(gateway.open()) as client:
        client.send(SOUND, upto=IN_MID_UTTERANCE)
        client.wait("final")
        site.settings["CHILD_START_S"] = "60"
        with site.worker(mode="streaming"), childless(first):
            wait_for(lambda: house.row(client.job_id).attempt == 2)
            client.send(SOUND)
            client.stop()
            is_undisturbed(client, gateway)
    row = house.row(client.job_id)
    assert (row.releases, row.crashes) == (1, 0)


def is_ready(house, worker) -> None:
    wait_for(lambda: any(f":{worker.pid}:" in one.name for one in list_workers(house.client) if one.slots))


@contextmanager
def childless(worker) -> Iterator[None]:
    """No child of this worker lives, however many it starts."""
    is_over = threading.Event()

    def kill() -> None:
        while not is_over.wait(0.02):
            for child in descendants(worker):
                with suppress(psutil.NoSuchProcess):
                    child.kill()

    killing = threading.Thread(target=kill)
    killing.start()
    try:
        yield
    finally:
        is_over.set()
        killing.join()


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


def test_a_worker_that_is_stopped_while_its_child_starts_blames_nobody(house, site):
    with site.worker(mode="streaming") as worker:
        [child] = wait_for(lambda: stream_children(worker), 60.0)
        child.suspend()
        assert not any(one.slots for one in list_workers(house.client))
        assert stop(worker) == 0
        assert not child.is_running()
    assert "worker_stopped" in site.logs()
    assert "child_does_not_start" not in site.logs()


@pytest.mark.long
def test_a_child_that_does_not_start_is_told(house, site):
    with site.worker(mode="streaming") as worker:
        wait_for(lambda: stream_children(worker))[0].kill()
        wait_for(lambda: "child_does_not_start" in site.logs())
        is_ready(house, worker)


@pytest.mark.long
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


HOSTILE = """
import sys
if "app.audio.live.nursery" in sys.orig_argv:
    import ctypes, pathlib, time
    from app.audio.live import packets
    trigger = (pathlib.Path(__file__).parent / "trigger").read_bytes()
    n_samples_of = packets.n_samples_of
    def crash(): ctypes.string_at(0)
    def hang(): time.sleep(3600)
    def eat():
        kept = []
        while True: kept.append(bytearray(20_000_000))
    def breaks(packet):
        if packet == trigger: {what}()
        return n_samples_of(packet)
    packets.n_samples_of = breaks
"""
"""A decoder with a defect: one packet of a stream has it misbehave. It is found as any `sitecustomize` is."""


@pytest.mark.parametrize("what", ["crash", *(pytest.param(one, marks=pytest.mark.long) for one in ("eat", "hang"))])
def test_a_stream_that_breaks_its_decoder_fails_alone_after_few_tries(house, gateway, site, tmp_path, what):
    hostile, other = as_opus(SOUND), as_opus(speech(N, first_hz=1000))
    code = tmp_path / "code"
    code.mkdir()
    (code / "sitecustomize.py").write_text(HOSTILE.replace("{what}", what))
    (code / "trigger").write_bytes(packet_in(hostile, 0.6))
    site.settings |= {"PYTHONPATH": f"{code}:{PLUGINS}:{ROOT}", "RETRY_BASE_S": "0.1"}
    with (
        site.worker(mode="streaming") as worker,
        gateway.connected(gateway.open(encoding="opus")) as breaking,
        gateway.connected(gateway.open(encoding="opus")) as client,
        gateway.connected(gateway.open()) as plain,
    ):
        [child] = stream_children(worker)
        client.send(other, upto=len(other) // 2)
        plain.send(SOUND, upto=IN_MID_UTTERANCE)
        breaking.send(hostile)
        [error] = breaking.wait("error", timeout_s=90.0)
        client.send(other)
        client.stop()
        plain.send(SOUND)
        plain.stop()
        is_undisturbed(plain, gateway)
        client.wait("completed")
        assert client.finals() == words_of(N, first_hz=1000)
        assert stream_children(worker) == [child]
    assert error.fields["code"] == "child_died"
    assert "decoder of its sound" in error.fields["params"]["reason"]
    rows = [house.row(one.job_id) for one in (breaking, client, plain)]
    assert [(row.state, row.failures, row.crashes) for row in rows] == [
        ("FAILED", 3, 0),
        ("COMPLETED", 0, 0),
        ("COMPLETED", 0, 0),
    ]
    assert texts(gateway.finals(breaking.job_id)) == words_of(N)[:2]


PATIENT = """
import sys
if "workers.streaming.child" in sys.orig_argv:
    from app.audio.live import confined
    confined.STALL_S = 300.0
"""
"""A decoder that hangs may do so for as long as a test takes."""


def test_a_decoder_that_hangs_holds_up_its_own_session_only(gateway, site, tmp_path):
    """Those beside it in the same child hear their words, and one that begins meanwhile; then it goes on itself."""
    sound, code = as_opus(SOUND), tmp_path / "code"
    code.mkdir()
    (code / "sitecustomize.py").write_text(PATIENT)
    site.settings |= {"PYTHONPATH": f"{code}:{PLUGINS}:{ROOT}"}
    with (
        site.worker(mode="streaming") as worker,
        gateway.connected(gateway.open(encoding="opus")) as stuck,
        gateway.connected(gateway.open()) as plain,
    ):
        stuck.send(sound, upto=int(len(sound) * 0.6))
        plain.send(SOUND, upto=IN_MID_UTTERANCE)
        stuck.wait("final")
        [nursery] = stream_children(worker)[0].children()
        [decoder] = nursery.children()
        decoder.suspend()
        stuck.send(sound)
        stuck.stop()
        with gateway.connected(gateway.open(encoding="opus")) as later:
            later.send(sound)
            later.stop()
            plain.send(SOUND)
            plain.stop()
            later.wait("completed")
            is_undisturbed(plain, gateway)
        assert not stuck.of("completed")
        decoder.resume()
        stuck.wait("completed")
        assert stuck.finals() == later.finals() == words_of(N)
    assert gateway.finals(stuck.job_id) == gateway.finals(later.job_id)


def packet_in(stream: bytes, share: float) -> bytes:
    """A packet of a WebM stream, after this share of it, that is in it only once."""
    packets = [packet.data for packet in WebmDemuxer(0).feed(stream)]
    later = packets[int(len(packets) * share) :]
    return next(packet for packet in later if packets.count(packet) == 1)


@pytest.mark.long
@pytest.mark.parametrize(("container", "lost"), [("webm", "child"), ("ogg", "child"), ("webm", "decoders")])
def test_a_browsers_sound_survives_a_lost_process_as_well(gateway, site, container, lost):
    """With the process that decoders are forked from they all die."""
    sound, finals = as_opus(SOUND, container), []
    with site.worker(mode="streaming") as worker:
        for is_disturbed in (False, True):
            with gateway.connected(gateway.open(encoding="opus")) as client:
                client.send(sound, upto=int(len(sound) * 0.6))
                client.wait("final")
                if is_disturbed:
                    [child] = stream_children(worker)
                    (child if lost == "child" else child.children()[0]).kill()
                client.send(sound)
                client.stop()
                client.wait("completed")
                finals.append(gateway.finals(client.job_id))
    assert texts(finals[0]) == words_of(N)
    assert finals[0] == finals[1]


@pytest.mark.long
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


@pytest.mark.long
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


@pytest.mark.long
def test_a_worker_measures_how_many_sessions_it_can_have(house, site):
    del site.settings["STREAM_SLOTS"]
    with site.worker(mode="streaming"):
        [worker] = wait_for(lambda: [one for one in list_workers(house.client) if one.slots])
        assert 20 < worker.slots <= 70  # the engine costs next to nothing, each session does not
