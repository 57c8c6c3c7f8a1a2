"""What has been kept long enough goes, and nothing else does."""

import threading
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, text, update

from app.domain.delivery import DeliveryState
from app.domain.errors import NotFound, RecordingRemoved
from app.domain.job import Mode
from app.domain.principal import ANONYMOUS
from app.models import Delivery, Job, JobPart, JobTranscript, Project
from app.services.jobs.catalogue import Catalogue
from app.services.jobs.control import Control
from app.services.jobs.removal import Removal
from app.services.jobs.retention import Keeping, Retention
from app.services.media.folder import FolderStorage
from app.services.transcription.checkpoint import PartResult
from tests.dead_letters import store
from tests.factories import House, make_transcript
from tests.workers import Site, wait_for

HOUR = 3600.0


@pytest.fixture
def storage(tmp_path: Path) -> FolderStorage:
    return FolderStorage(tmp_path / "audio")


@pytest.fixture
def control(house, storage):
    return Control(house.database, storage, {Mode.BATCH: house.queue}, house.events, house.narrator)


def retention(house: House, storage: FolderStorage, batch: int = 100, **keeping: float) -> Retention:
    return Retention(house.database, Removal(house.database, storage, house.events), Keeping(**keeping), batch=batch)


def ended(house: House, storage: FolderStorage, hours_ago: float, **columns) -> str:
    """A completed job with its recording and transcript, that ended so long ago."""
    job_id = house.add_job(audio_key=store(storage), **columns)
    assert house.endings.complete(house.claim(job_id), make_transcript())
    age(house, job_id, hours_ago)
    return job_id


def age(house: House, job_id: str, hours: float) -> None:
    house.change(job_id, finished_at=func.now() - timedelta(hours=hours))


def ids(house: House) -> set[str]:
    with house.database.work() as work:
        return {str(one) for one in work.session.scalars(select(Job.id))}


def keep_for(house: House, project: str, **seconds: float) -> None:
    with house.database.work() as work:
        work.session.execute(update(Project).where(Project.id == project).values(**seconds))


def test_jobs_past_their_time_go_with_transcript_and_recording(house: House, storage):
    old, young = ended(house, storage, 2.1), ended(house, storage, 1.9)
    kept_key = house.row(young).audio_key
    assert retention(house, storage, retention_s=2 * HOUR).sweep() == 1
    assert ids(house) == {young}
    assert list(storage.kept_keys(older_than_s=-1)) == [kept_key]
    with house.database.work() as work:
        assert list(work.session.scalars(select(JobTranscript.job_id))) == [UUID(young)]
    assert house.events.read(old, after=0) == []
    assert house.events.read(young, after=0) != []


def test_without_a_setting_everything_is_kept_for_ever(house: House, storage):
    job_id = ended(house, storage, 24 * 365 * 10)
    assert retention(house, storage).sweep() == 0
    assert ids(house) == {job_id}


def test_a_job_that_waits_or_runs_is_never_removed(house: House, storage):
    long_ago = func.now() - timedelta(days=400)
    waiting, running = (house.add_job(audio_key=store(storage), created_at=long_ago) for _ in range(2))
    house.claim(running)
    assert retention(house, storage, retention_s=1, audio_retention_s=1).sweep() == 0
    assert ids(house) == {waiting, running}
    assert house.row(running).audio_key is not None


def test_a_project_may_keep_longer_shorter_or_for_ever(house: House, storage):
    jobs = {name: ended(house, storage, 5, project_id=name) for name in ("default", "short", "long", "ever")}
    keep_for(house, "short", retention_s=HOUR)
    keep_for(house, "long", retention_s=9 * HOUR)
    keep_for(house, "ever", retention_s=float("inf"))
    assert retention(house, storage).sweep() == 1
    assert ids(house) == set(jobs.values()) - {jobs["short"]}
    assert retention(house, storage, retention_s=2 * HOUR).sweep() == 1
    assert ids(house) == {jobs["long"], jobs["ever"]}


def test_the_recording_may_go_before_the_transcript(house: House, storage, control):
    job_id = ended(house, storage, 2)
    assert retention(house, storage, audio_retention_s=HOUR).sweep() == 1
    assert list(storage.kept_keys(older_than_s=-1)) == []
    catalogue = Catalogue(house.database, storage, {Mode.BATCH: house.queue})
    assert catalogue.get_transcript(ANONYMOUS, job_id).text == "hello there"
    with pytest.raises(NotFound):
        catalogue.open_recording(ANONYMOUS, job_id)
    assert retention(house, storage, audio_retention_s=HOUR).sweep() == 0


def test_a_project_says_how_long_its_recordings_are_kept(house: House, storage):
    mine, other = ended(house, storage, 2, project_id="mine"), ended(house, storage, 2)
    keep_for(house, "mine", audio_retention_s=float("inf"))
    assert retention(house, storage, audio_retention_s=HOUR).sweep() == 1
    assert house.row(mine).audio_key is not None
    assert house.row(other).audio_key is None


def test_a_job_without_its_recording_is_not_tried_again(house: House, storage, control):
    job_id = house.add_job(audio_key=store(storage))
    control.cancel(ANONYMOUS, job_id)
    age(house, job_id, 2)
    retention(house, storage, audio_retention_s=HOUR).sweep()
    with pytest.raises(RecordingRemoved):
        control.retry(ANONYMOUS, job_id)
    assert house.row(job_id).state == "CANCELLED"


def test_a_recording_from_a_url_is_fetched_again_and_done_from_its_start(house: House, storage, control):
    job_id = house.add_job(audio_key=store(storage), audio_url="https://recordings.test/a.wav")
    job = house.claim(job_id)
    assert house.claims.store_part(job, PartResult(0, 0, 16_000))
    assert house.endings.cancel(job)
    age(house, job_id, 2)
    retention(house, storage, audio_retention_s=HOUR).sweep()
    control.retry(ANONYMOUS, job_id)
    again = house.claim(job_id)
    assert (again.audio_key, again.audio_url) == (None, "https://recordings.test/a.wav")
    with house.database.work() as work:
        assert list(work.session.scalars(select(JobPart))) == []


def test_a_job_whose_end_is_not_told_yet_is_kept_until_it_is(house: House, storage):
    ended(house, storage, 5, callback_url="https://receiver.test/hook")
    sweeper = retention(house, storage, retention_s=HOUR)
    assert sweeper.sweep() == 0
    with house.database.work() as work:
        work.session.execute(update(Delivery).values(state=DeliveryState.FAILED))
    assert sweeper.sweep() == 1
    assert ids(house) == set()


def test_many_go_in_small_batches_by_many_sweepers_each_once(house: House, storage):
    for _ in range(45):
        job_id = house.add_job(audio_key=uuid4().hex, state="CANCELLED", finished_at=func.now())
        age(house, job_id, 3)
    kept = ended(house, storage, 0.5)
    swept: list[int] = []
    sweepers = [
        threading.Thread(
            target=lambda: swept.append(retention(house, storage, batch=7, retention_s=HOUR).sweep()), daemon=True
        )
        for _ in range(3)
    ]
    for one in sweepers:
        one.start()
    for one in sweepers:
        one.join(30)
    assert sum(swept) == 45
    assert ids(house) == {kept}


def test_what_another_process_holds_is_left_to_it(house: House, storage):
    held, free = ended(house, storage, 3), ended(house, storage, 3)
    with house.engine.connect() as other:
        other.execute(text("SELECT 1 FROM jobs WHERE id = :id FOR UPDATE"), {"id": held})
        assert retention(house, storage, retention_s=HOUR).sweep() == 1
    assert ids(house) == {held}
    assert free not in ids(house)


def test_the_maintenance_worker_does_it(house: House, postgres_url, redis_url, tmp_path):
    site = Site(postgres_url, redis_url, tmp_path, {"RETENTION_S": "3600", "RETENTION_EVERY_S": "0.5"})
    storage = FolderStorage(tmp_path / "audio")
    old, young = ended(house, storage, 2), ended(house, storage, 0)
    with site.worker(mode="maintenance"):
        wait_for(lambda: old not in ids(house))
    assert ids(house) == {young}
    assert len(list(storage.kept_keys(older_than_s=-1))) == 1


def test_a_recording_that_another_job_names_stays_when_one_goes(house: House, storage):
    old = ended(house, storage, 3)
    key = house.row(old).audio_key
    young = ended(house, storage, 1)
    house.change(young, audio_key=key)
    assert retention(house, storage, retention_s=2 * HOUR).sweep() == 1
    assert ids(house) == {young}
    storage.open(key).close()
    assert retention(house, storage, retention_s=HOUR / 2).sweep() == 1
    with pytest.raises(NotFound):
        storage.open(key)


def test_a_half_goes_with_its_job_and_not_before(house: House, storage):
    job = house.add_job(audio_key=store(storage))
    half = ended(house, storage, 3, parent_id=UUID(job))
    assert retention(house, storage, retention_s=2 * HOUR).sweep() == 0
    assert ids(house) == {job, half}
    house.endings.complete(house.claim(job), make_transcript())
    age(house, job, 3)
    assert retention(house, storage, retention_s=2 * HOUR).sweep() == 1
    assert ids(house) == set()
