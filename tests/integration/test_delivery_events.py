"""Every end of a job is told once, to whoever asked for it."""

from datetime import UTC
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from app.domain.errors import EngineError, MediaUnreadable, NotFound
from app.domain.job import Mode
from app.domain.principal import ANONYMOUS, Principal
from app.models import Delivery
from app.services.database import Database
from app.services.delivery.deliveries import Deliveries
from app.services.jobs.catalogue import Catalogue
from app.services.jobs.control import Control
from app.services.media.folder import FolderStorage
from tests.factories import House, make_transcript

HOOK = "https://receiver.test/hook?token=hunter2"


@pytest.fixture
def control(house, tmp_path):
    queues = {Mode.BATCH: house.queue}
    return Control(house.database, FolderStorage(tmp_path), queues, house.events, house.narrator)


def owed(database: Database, job_id: str) -> list[Delivery]:
    with database.work() as work:
        return list(work.session.scalars(select(Delivery).where(Delivery.job_id == UUID(job_id))))


def test_a_completed_job_is_told_with_what_its_receiver_needs(house: House):
    job_id = house.add_job(callback_url=HOOK, meta={"order": 7})
    house.endings.complete(house.claim(job_id), make_transcript())
    (delivery,) = owed(house.database, job_id)
    ended_at = house.row(job_id).finished_at
    assert (delivery.url, delivery.host, delivery.state, delivery.type) == (
        HOOK,
        "receiver.test",
        "PENDING",
        "job.completed",
    )
    assert delivery.payload["type"] == "job.completed"
    assert delivery.payload["timestamp"] == ended_at.astimezone(UTC).isoformat()
    assert delivery.payload["data"] == {
        "job_id": job_id,
        "job_uuid": job_id,
        "status": "COMPLETED",
        "mode": "batch",
        "metadata": {"order": 7},
        "result_url": f"/api/batchTranscription/result?job_uuid={job_id}",
    }


def test_a_failed_job_is_told_with_its_error(house: House):
    job_id = house.add_job(callback_url=HOOK)
    house.endings.fail(house.claim(job_id), MediaUnreadable(reason="noise"))
    (delivery,) = owed(house.database, job_id)
    assert delivery.type == "job.failed"
    assert delivery.payload["data"]["error"] == {
        "code": "media_unreadable",
        "message": "The recording cannot be decoded: noise.",
        "retryable": False,
        "attempts": 1,
    }


def test_poison_is_told_as_a_failure(house: House):
    job_id = house.add_job(callback_url=HOOK, crashes=2)
    house.endings.crash(house.claim(job_id), EngineError(reason="lost"))
    assert [one.payload["data"]["error"]["code"] for one in owed(house.database, job_id)] == ["poisoned"]


def test_a_job_cancelled_while_it_runs_is_told(house: House):
    job_id = house.add_job(callback_url=HOOK)
    house.endings.cancel(house.claim(job_id))
    assert [one.type for one in owed(house.database, job_id)] == ["job.cancelled"]


def test_a_job_cancelled_while_it_waits_is_told_once(house: House, control):
    job_id = house.add_job(callback_url=HOOK)
    control.cancel(ANONYMOUS, job_id)
    control.cancel(ANONYMOUS, job_id)
    assert [one.type for one in owed(house.database, job_id)] == ["job.cancelled"]


def test_what_is_not_an_end_is_not_told(house: House):
    job_id = house.add_job(callback_url=HOOK)
    house.endings.fail(house.claim(job_id), EngineError(reason="hiccup"))
    house.change(job_id, run_at=house.row(job_id).created_at)
    house.endings.release(house.claim(job_id))
    house.endings.crash(house.claim(job_id), EngineError(reason="lost"))
    assert owed(house.database, job_id) == []


def test_who_did_not_ask_is_not_told(house: House):
    job_id = house.add_job()
    house.endings.complete(house.claim(job_id), make_transcript())
    assert owed(house.database, job_id) == []


def test_an_end_that_is_written_twice_is_told_once(house: House):
    job = house.claim(house.add_job(callback_url=HOOK))
    house.endings.complete(job, make_transcript())
    house.endings.complete(job, make_transcript())
    assert len(owed(house.database, job.id)) == 1


def test_a_run_that_lost_its_claim_tells_nothing(house: House):
    job = house.claim(house.add_job(callback_url=HOOK))
    house.endings.release(job)
    assert house.endings.complete(job, make_transcript()) is False
    assert owed(house.database, job.id) == []


def test_a_second_end_after_a_retry_is_told_as_a_message_of_its_own(house: House, control):
    job_id = house.add_job(callback_url=HOOK)
    house.endings.fail(house.claim(job_id), MediaUnreadable(reason="noise"))
    control.retry(ANONYMOUS, job_id)
    house.endings.complete(house.claim(job_id), make_transcript())
    assert sorted(one.type for one in owed(house.database, job_id)) == ["job.completed", "job.failed"]


def test_a_deleted_job_takes_its_deliveries_along(house: House, control):
    job_id = house.add_job(callback_url=HOOK)
    house.endings.complete(house.claim(job_id), make_transcript())
    control.delete(ANONYMOUS, job_id)
    assert owed(house.database, job_id) == []


def test_deliveries_are_shown_to_their_owner_without_secrets(house: House):
    job_id = house.add_job(callback_url=HOOK)
    house.endings.complete(house.claim(job_id), make_transcript())
    (shown,) = Deliveries(house.database).list_deliveries(ANONYMOUS, job_id)
    assert (shown.url, shown.state, shown.attempts, shown.tries) == ("https://receiver.test/hook", "PENDING", 0, ())
    with pytest.raises(NotFound):
        Deliveries(house.database).list_deliveries(Principal("other"), job_id)
    with pytest.raises(NotFound):
        Deliveries(house.database).resend(Principal("other"), job_id, shown.id)
    for unknown in (str(uuid4()), "nonsense"):
        with pytest.raises(NotFound):
            Deliveries(house.database).resend(ANONYMOUS, job_id, unknown)


def test_a_job_that_waits_for_its_recording_can_be_looked_at_cancelled_and_deleted(house: House, control, tmp_path):
    unfetched = {"audio_key": None, "audio_url": "https://files.test/a.wav", "size_bytes": 0, "sha256": ""}
    job_id = house.add_job(**unfetched)
    catalogue = Catalogue(house.database, FolderStorage(tmp_path), {Mode.BATCH: house.queue})
    assert catalogue.get_job(ANONYMOUS, job_id).size_bytes == 0
    with pytest.raises(NotFound):
        catalogue.open_recording(ANONYMOUS, job_id)
    assert control.cancel(ANONYMOUS, job_id).state == "CANCELLED"
    control.delete(ANONYMOUS, job_id)
