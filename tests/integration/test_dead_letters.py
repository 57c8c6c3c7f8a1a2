"""Jobs that failed for good, as an operator handles them."""

from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from app.domain.errors import ChildDied, EngineError, Forbidden, InvalidFields, MediaUnreadable, NotFound
from app.domain.job import Mode
from app.domain.principal import ANONYMOUS, Principal
from app.models import Job, JobError
from app.services.jobs.control import Control
from app.services.jobs.dead import DeadFilter, DeadLetters
from app.services.jobs.endings import KEPT_ERRORS, MAX_DETAIL_LENGTH
from app.services.media.folder import FolderStorage
from tests.dead_letters import SECRET, TRACEBACK, failed, store
from tests.factories import House, make_transcript

ADMIN = Principal("default", is_admin=True)


@pytest.fixture
def storage(tmp_path: Path) -> FolderStorage:
    return FolderStorage(tmp_path / "audio")


@pytest.fixture
def dead(house: House, storage) -> DeadLetters:
    control = Control(house.database, storage, {Mode.BATCH: house.queue}, house.events, house.narrator)
    return DeadLetters(house.database, control)


def listed(dead: DeadLetters, **wanted) -> list[str]:
    return [job.id for job in dead.list_dead(ADMIN, DeadFilter(**wanted)).jobs]


def kept(house: House) -> set[str]:
    with house.database.work() as work:
        return {str(one) for one in work.session.scalars(select(Job.id))}


def test_the_dead_letters_of_all_projects_are_listed_the_newest_first(house: House, dead):
    older = failed(house, hours_ago=2, project_id="one")
    newer = failed(house, hours_ago=1, project_id="two")
    done = house.add_job()
    house.endings.complete(house.claim(done), make_transcript())
    house.endings.cancel(house.claim(house.add_job()))
    house.add_job()
    assert listed(dead) == [newer, older]


def test_they_are_found_by_code_project_and_age(house: House, dead):
    old = failed(house, hours_ago=48, project_id="one")
    other = failed(house, MediaUnreadable(reason="x"), hours_ago=1, project_id="two")
    assert listed(dead, code="media_unreadable") == [other]
    assert listed(dead, project_id="one") == [old]
    assert listed(dead, older_than_s=3600 * 24) == [old]
    assert listed(dead, younger_than_s=3600 * 24) == [other]
    assert listed(dead, code="media_unreadable", project_id="one") == []


def test_pages_follow_each_other_without_gap_or_repetition(house: House, dead):
    made = [failed(house, hours_ago=n + 1) for n in range(5)]
    seen, cursor = [], None
    while True:
        page = dead.list_dead(ADMIN, DeadFilter(), cursor=cursor, limit=2)
        seen += [job.id for job in page.jobs]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == made
    with pytest.raises(InvalidFields):
        dead.list_dead(ADMIN, DeadFilter(), cursor="nonsense")


def test_the_last_ten_errors_are_kept_with_worker_signal_and_traceback(house: House, dead):
    job_id = house.add_job(crashes=-99)
    for n in range(12):
        house.change(job_id, run_at=house.row(job_id).created_at)
        job = house.claim(job_id)
        house.endings.crash(job, ChildDied(reason=f"signal {n}"), f"traceback {n}")
    errors = dead.get_errors(ADMIN, job_id)
    assert len(errors) == KEPT_ERRORS
    assert [error.attempt for error in errors] == list(range(12, 2, -1))
    newest = errors[0]
    assert (newest.kind, newest.code, newest.worker, newest.detail) == (
        "crash",
        "child_died",
        "test-worker",
        "traceback 11",
    )
    assert "signal 11" in newest.message


def test_no_secret_is_stored_with_an_error(house: House, dead):
    error = EngineError(reason=f"api_key={SECRET} was refused")
    job_id = failed(house, error, detail=TRACEBACK, failures=99)
    with house.database.work() as work:
        row = work.session.scalars(select(JobError).where(JobError.job_id == UUID(job_id))).one()
    assert row.detail is not None
    assert "RuntimeError" in row.detail
    job = house.row(job_id)
    for stored in (row.detail, row.message, job.error_message, str(job.error_params)):
        assert "hunter2" not in stored


def test_of_a_huge_traceback_the_end_is_kept(house: House, dead):
    job_id = failed(house, detail="x" * 100_000 + "\x00ValueError: the end")
    (error,) = dead.get_errors(ADMIN, job_id)
    assert error.detail is not None
    assert len(error.detail) == MAX_DETAIL_LENGTH
    assert error.detail.endswith("xValueError: the end")


def test_a_replayed_job_waits_again_and_is_offered_to_the_workers(house: House, dead):
    job_id = failed(house, project_id="one")
    assert dead.replay(ADMIN, [job_id]).done == (job_id,)
    row = house.row(job_id)
    assert (row.state, row.failures, row.error_code, row.finished_at) == ("QUEUED", 0, None, None)
    assert house.queue.take(1) == job_id
    assert house.claim(job_id).attempt == 2
    assert len(dead.get_errors(ADMIN, job_id)) == 1


def test_what_cannot_be_replayed_is_told_and_the_rest_is_done(house: House, dead):
    waiting, gone, bad = house.add_job(), str(uuid4()), "nonsense"
    cancelled = house.add_job()
    house.endings.cancel(house.claim(cancelled))
    silent = failed(house)
    house.change(silent, audio_key=None)
    fit = failed(house)
    handled = dead.replay(ADMIN, [waiting, gone, bad, cancelled, silent, fit, fit])
    assert handled.done == (fit,)
    assert [(one.id, one.error.code) for one in handled.refused] == [
        (waiting, "conflict"),
        (gone, "not_found"),
        (bad, "not_found"),
        (cancelled, "conflict"),
        (silent, "recording_removed"),
    ]
    assert house.row(cancelled).state == "CANCELLED"


def test_all_of_a_kind_are_replayed_the_oldest_first_so_many_at_once(house: House, dead):
    other = failed(house, MediaUnreadable(reason="x"))
    made = [failed(house, hours_ago=n + 1) for n in range(3)]
    silent = failed(house, hours_ago=9)
    house.change(silent, audio_key=None)
    first = dead.replay_all(ADMIN, DeadFilter(code="media_empty"), limit=2)
    assert first.done == (made[2], made[1])
    assert first.has_more
    second = dead.replay_all(ADMIN, DeadFilter(code="media_empty"), limit=2)
    assert (second.done, second.has_more) == ((made[0],), False)
    assert set(listed(dead)) == {other, silent}


def test_a_replay_of_all_tells_which_jobs_have_no_recording_any_more(house: House, dead):
    fit = failed(house)
    silent = [failed(house, hours_ago=n + 1) for n in range(3)]
    for job_id in silent:
        house.change(job_id, audio_key=None)
    fetched_again = failed(house)
    house.change(fetched_again, audio_key=None, audio_url="https://recordings.test/a.wav")
    handled = dead.replay_all(ADMIN, DeadFilter(), limit=2)
    assert set(handled.done) == {fit, fetched_again}
    assert [(one.id, one.error.code) for one in handled.refused] == [
        (silent[2], "recording_removed"),
        (silent[1], "recording_removed"),
    ]
    assert not handled.has_more, "what cannot be replayed does not ask to be tried again"


def test_a_purged_job_is_gone_with_its_recording_and_its_errors(house: House, dead, storage):
    job_id = failed(house, audio_key=store(storage), project_id="one")
    other = failed(house, audio_key=store(storage))
    assert dead.purge(ADMIN, [job_id]).done == (job_id,)
    assert kept(house) == {other}
    assert list(storage.kept_keys(older_than_s=-1)) == [house.row(other).audio_key]
    assert house.events.read(job_id, after=0) == []
    with pytest.raises(NotFound):
        dead.get_errors(ADMIN, job_id)


def test_only_failed_jobs_are_purged(house: House, dead):
    waiting, running, done = (house.add_job() for _ in range(3))
    house.claim(running)
    house.endings.complete(house.claim(done), make_transcript())
    handled = dead.purge(ADMIN, [waiting, running, done])
    assert handled.done == ()
    assert kept(house) == {waiting, running, done}
    assert dead.purge_all(ADMIN, DeadFilter()).done == ()


def test_those_past_an_age_are_purged(house: House, dead):
    old, young = failed(house, hours_ago=48), failed(house, hours_ago=1)
    assert dead.purge_all(ADMIN, DeadFilter(older_than_s=24 * 3600)).done == (old,)
    assert kept(house) == {young}


def test_whoever_is_no_administrator_is_refused(house: House, dead):
    job_id = failed(house)
    for call in (
        lambda: dead.list_dead(ANONYMOUS, DeadFilter()),
        lambda: dead.get_job(ANONYMOUS, job_id),
        lambda: dead.get_errors(ANONYMOUS, job_id),
        lambda: dead.replay(ANONYMOUS, [job_id]),
        lambda: dead.replay_all(ANONYMOUS, DeadFilter()),
        lambda: dead.purge(ANONYMOUS, [job_id]),
        lambda: dead.purge_all(ANONYMOUS, DeadFilter()),
    ):
        with pytest.raises(Forbidden):
            call()
    assert house.row(job_id).state == "FAILED"
