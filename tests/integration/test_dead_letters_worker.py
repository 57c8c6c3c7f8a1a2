"""What a real worker leaves for the operator when its engine fails."""

from pathlib import Path

import pytest

from app.domain.job import JobOptions
from app.domain.principal import Principal
from app.services.jobs.control import Control
from app.services.jobs.dead import DeadFilter, DeadLetters
from app.services.jobs.views import options_to_dict
from app.services.media.folder import FolderStorage
from tests.factories import House
from tests.workers import Site, wait_for, write_speechlike

ADMIN = Principal("default", is_admin=True)


@pytest.fixture
def site(house, postgres_url, redis_url, tmp_path):
    return Site(postgres_url, redis_url, tmp_path, {"MAX_ATTEMPTS": "1", "MAX_CRASHES": "1"})


def submit(house: House, site: Site, prompt: str) -> str:
    recording = write_speechlike(Path(site.folder) / "speech.wav", 5.0)
    options = options_to_dict(JobOptions(engine="scripted", model="v1", prompt=prompt))
    return house.add_job(options=options, audio_key=site.store(recording))


def test_the_errors_tell_traceback_worker_and_signal_and_no_secret(house: House, site: Site):
    leaked, crashed = submit(house, site, "leak:hunter2hunter2"), submit(house, site, "crash")
    with site.worker():
        wait_for(lambda: all(house.row(job_id).finished_at for job_id in (leaked, crashed)))
    control = Control(house.database, FolderStorage(site.folder / "audio"), {}, house.events, house.narrator)
    dead = DeadLetters(house.database, control)
    codes = {job.id: job.error.code for job in dead.list_dead(ADMIN, DeadFilter()).jobs if job.error}
    assert codes == {leaked: "engine_error", crashed: "poisoned"}
    (failure,) = dead.get_errors(ADMIN, leaked)
    assert failure.detail is not None
    assert "ConnectionError: https://me:[hidden]@engine.test/" in failure.detail
    assert failure.worker == house.row(leaked).worker
    assert "hunter2" not in failure.detail + failure.message + site.logs()
    (crash,) = dead.get_errors(ADMIN, crashed)
    assert (crash.kind, crash.code) == ("crash", "child_died")
    assert "SIGSEGV" in crash.message
