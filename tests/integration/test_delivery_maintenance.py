"""The maintenance worker, as a process: it delivers, tidies up, and goes when told."""

import json
import os
import time
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import func, select, text

from app.domain.principal import ANONYMOUS
from app.models import IdempotencyKey
from app.queues.presence import list_workers
from app.services.delivery.deliveries import Deliveries
from app.services.jobs import idempotency
from app.services.media.folder import FolderStorage
from app.services.media.orphans import remove_orphans
from tests.factories import House, make_transcript
from tests.workers import Site, stop, wait_for


@pytest.fixture
def site(house, postgres_url, redis_url, tmp_path):
    return Site(postgres_url, redis_url, tmp_path, {"ALLOW_PRIVATE_URLS": "true"})


def end_a_job(house: House, url: str) -> str:
    job_id = house.add_job(callback_url=url)
    assert house.endings.complete(house.claim(job_id), make_transcript())
    return job_id


def make_old(path: Path, hours: float) -> Path:
    then = time.time() - hours * 3600
    os.utime(path, (then, then))
    return path


def put(folder: Path, hours: float, name: str | None = None) -> Path:
    """A file in the storage folder, last written so long ago."""
    name = name or uuid4().hex
    path = folder / "audio" / name[:2] / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"RIFF")
    return make_old(path, hours)


def test_it_delivers_what_is_owed_and_what_comes_later_and_stops_when_told(house, site, world):
    url = world.on("/hook", lambda exchange: exchange.say())
    first = end_a_job(house, url + "?token=hunter2")
    with site.worker(mode="maintenance") as worker:
        wait_for(lambda: len(world.received) == 1)
        second = end_a_job(house, url)
        wait_for(lambda: len(world.received) == 2)
        assert [one.mode for one in list_workers(house.client)] == ["maintenance"]
        assert stop(worker, 8) == 0
    assert [json.loads(one.body)["data"]["job_id"] for one in world.received] == [first, second]
    assert list_workers(house.client) == []
    assert "hunter2" not in site.logs()
    key = site.folder / "secrets" / "webhook.key"
    assert key.read_text().startswith("whsec_")


def test_it_stops_while_a_receiver_hangs_and_another_makes_the_try_again(house, site, world):
    job_id = end_a_job(house, world.on("/hook", world.hang))
    with site.worker(mode="maintenance") as worker:
        wait_for(lambda: world.received)
        assert stop(worker, 8) == 0
    (left,) = Deliveries(house.database).list_deliveries(ANONYMOUS, job_id)
    assert (left.state, left.attempts, left.tries) == ("PENDING", 1, ())
    world.on("/hook", lambda exchange: exchange.say())
    with house.database.work() as work:
        work.session.execute(text("UPDATE deliveries SET next_at = now()"))
    with site.worker(mode="maintenance"):
        wait_for(lambda: len(world.received) == 2)
    assert len({one.headers["webhook-id"] for one in world.received}) == 1


def test_a_worker_killed_in_the_middle_of_a_try_is_followed_by_another_with_the_same_message(house, site, world):
    job_id = end_a_job(house, world.on("/hook", world.hang))
    with site.worker(mode="maintenance") as worker:
        wait_for(lambda: world.received)
        worker.kill()
        worker.wait()
    deliveries = Deliveries(house.database)
    (left,) = deliveries.list_deliveries(ANONYMOUS, job_id)
    assert (left.state, left.attempts, left.tries) == ("PENDING", 1, ())
    world.on("/hook", lambda exchange: exchange.say())
    with house.database.work() as work:
        work.session.execute(text("UPDATE deliveries SET next_at = now()"))  # as when the lease of the try is over
    with site.worker(mode="maintenance"):
        wait_for(lambda: deliveries.list_deliveries(ANONYMOUS, job_id)[0].state == "DELIVERED")
    assert len(world.received) == 2
    assert len({one.headers["webhook-id"] for one in world.received}) == 1


def test_it_tidies_up_what_crashes_have_left_behind(house, site):
    known = put(site.folder, 30, name="a" * 32)
    house.add_job(audio_key=known.name)
    orphan, young = put(site.folder, 8 * 24), put(site.folder, 6 * 24)
    incoming = site.folder / "audio" / "incoming"
    incoming.mkdir()
    dead, alive = make_old(incoming, 0) / "dead", incoming / "alive"
    for path, hours in ((dead, 25), (alive, 23)):
        path.write_bytes(b"x")
        make_old(path, hours)
    with site.worker(mode="maintenance"):
        wait_for(lambda: not orphan.exists() and not dead.exists())
    assert known.exists()
    assert young.exists()
    assert alive.exists()


def test_it_waits_when_postgres_is_away_at_first_and_stops_when_told(house, site, world):
    site.postgres_url = "postgresql://nobody@127.0.0.1:9/nothing"
    with site.worker(mode="maintenance") as worker:
        wait_for(lambda: site.logs().count("schema_not_seen") >= 2)
        assert stop(worker, 8) == 0


def test_expired_idempotency_keys_are_forgotten_and_the_others_kept(house: House):
    job_id = house.add_job()
    with house.database.work() as work:
        for key, age in (("old", timedelta(hours=25)), ("new", timedelta(hours=23))):
            created_at = func.now() - age
            row = IdempotencyKey(project_id="default", key=key, fingerprint="x", job_id=job_id, created_at=created_at)
            work.session.add(row)
    with house.database.work() as work:
        assert idempotency.forget_expired(work) == 1
        assert list(work.session.scalars(select(IdempotencyKey.key))) == ["new"]


def test_no_recording_with_a_job_is_removed_among_many(house: House, site):
    kept = {put(site.folder, 2).name for _ in range(3)}
    for key in kept:
        house.add_job(audio_key=key)
    lost = [put(site.folder, 2) for _ in range(600)]
    storage = FolderStorage(site.folder / "audio")
    assert remove_orphans(house.database, storage, older_than_s=3600) == len(lost)
    assert set(storage.kept_keys(older_than_s=0)) == kept
