"""Jobs whose recording is still to be fetched are taken in at once, and refused at once where that can be told."""

import io
import sys
import wave

import pytest

from app.domain.errors import InvalidFields, KeyMismatch
from app.domain.job import JobOptions, Mode
from app.domain.principal import ANONYMOUS
from app.engines.registry import build_registry
from app.services.jobs.request import SubmitJob
from app.services.jobs.submission import Defaults, Submissions
from app.services.media.folder import FolderStorage
from tests.factories import House
from tests.workers import PLUGINS

URL = "https://files.test/calls/12345.wav?sig=hunter2"
OPTIONS = JobOptions(engine="scripted", model="v1", language="en")


@pytest.fixture
def storage(tmp_path):
    return FolderStorage(tmp_path)


@pytest.fixture
def submit(house: House, storage, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(PLUGINS), *sys.path])
    registry = build_registry(tmp_path / "weights")
    queues = dict.fromkeys(Mode, house.queue)
    submissions = Submissions(house.database, storage, registry, queues, Defaults())
    return lambda **asked: submissions.submit(ANONYMOUS, SubmitJob(mode=Mode.BATCH, options=OPTIONS, **asked))


def upload(storage: FolderStorage):
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 2, 16_000, 0, "NONE", ""))
        sound.writeframes(bytes(32_000))
    taken = storage.receive(1_000_000)
    taken.write(file.getvalue())
    return taken.keep()


def test_a_job_with_a_url_is_queued_without_a_recording(house: House, submit):
    job = submit(audio_url=URL, callback_url="https://receiver.test/hook").job
    row = house.row(job.id)
    assert (row.state, row.audio_key, row.audio_url) == ("QUEUED", None, URL)
    assert row.callback_url == "https://receiver.test/hook"
    assert (row.filename, row.size_bytes, row.sha256) == ("12345.wav", 0, "")
    assert house.queue.depth() == 1


def test_a_name_that_is_given_is_kept(submit):
    assert submit(audio_url=URL, filename="mine.wav").job.filename == "mine.wav"


@pytest.mark.parametrize("field", ["audio_url", "callback_url"])
@pytest.mark.parametrize("url", ["file:///etc/passwd", "http://me:pw@files.test/", "nonsense", "http://"])
def test_what_could_not_be_gone_to_is_refused_by_field(house: House, submit, field, url):
    with pytest.raises(InvalidFields) as raised:
        submit(**{"audio_url": URL, field: url})
    assert list(raised.value.errors) == [field]
    assert house.queue.depth() == 0


def test_both_urls_are_told_at_once(submit):
    with pytest.raises(InvalidFields) as raised:
        submit(audio_url="x", callback_url="y")
    assert set(raised.value.errors) == {"audio_url", "callback_url"}


def test_an_upload_with_a_spoilt_callback_leaves_nothing_behind(submit, storage, tmp_path):
    with pytest.raises(InvalidFields):
        submit(audio=upload(storage), filename="a.wav", callback_url="ftp://receiver.test/")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_recording_or_a_url_is_needed_and_not_both(submit, storage):
    with pytest.raises(InvalidFields):
        submit()
    with pytest.raises(InvalidFields):
        submit(audio=upload(storage), filename="a.wav", audio_url=URL)


def test_the_same_request_twice_makes_one_job_and_another_url_is_another_request(submit):
    first = submit(audio_url=URL, idempotency_key="k")
    again = submit(audio_url=URL, idempotency_key="k")
    assert (again.job.id, again.replayed) == (first.job.id, True)
    with pytest.raises(KeyMismatch):
        submit(audio_url=URL + "x", idempotency_key="k")
    with pytest.raises(KeyMismatch):
        submit(audio_url=URL, callback_url="https://receiver.test/", idempotency_key="k")
