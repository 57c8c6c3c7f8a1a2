"""What a streaming worker writes: finals numbered once, fenced by its claim, ended in one transaction."""

import wave
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text

from app.domain.errors import Unavailable
from app.domain.job import Mode
from app.domain.live import Final, Mark, Step, StreamSpec
from app.domain.principal import ANONYMOUS
from app.domain.states import JobState
from app.domain.transcript import Segment, Word
from app.helpers.database_url import with_driver
from app.models import Delivery, Job, StreamSound
from app.queues.presence import WorkerPresence, announce, is_there, leave
from app.services.database import Unhurried
from app.services.jobs.catalogue import Catalogue
from app.services.media.folder import FolderStorage
from app.services.streaming.finishing import Finishing, Refinement
from app.services.streaming.ledger import Alive, StreamLedger
from app.services.streaming.sessions import OpenStream
from app.services.streaming.unconnected import give_up_unconnected
from tests.factories import make_house
from tests.live import make_sessions

pytestmark = pytest.mark.usefixtures("clean")


@pytest.fixture
def house(postgres_url, redis_url, clean):
    house = make_house(postgres_url, redis_url)
    announce(house.client, WorkerPresence("w", Mode.STREAMING.value, 9, 0))
    yield house
    house.engine.dispose()


@pytest.fixture
def sessions(house):
    return make_sessions(house)


@pytest.fixture
def ledger(house, postgres_url):
    return StreamLedger(house.database, Unhurried(with_driver(postgres_url)))


@pytest.fixture
def storage(tmp_path):
    return FolderStorage(tmp_path / "audio")


@pytest.fixture
def finishing(house, storage):
    return Finishing(house.database, storage, house.narrator, Refinement(engine="scripted"))


def claimed(house, sessions, **spec):
    job_id = sessions.open(ANONYMOUS, OpenStream(spec=StreamSpec(**spec))).job.id
    sessions.attach(ANONYMOUS, job_id)
    return house.claim(job_id)


def step(seq: int, said: str = "", pcm: bytes = b"", start: int = 0) -> Step:
    segment = Segment(seq - 1, seq, seq + 0.5, said or f"text {seq}", 0.9, None, (Word("x", seq, seq + 0.5, 0.5),))
    mark = Mark(seq * 3200, seq * 1600, b"head", seq * 1600 + 5, seq)
    return Step(mark, Final(seq, segment, True, (("y", 0.25),)), start, pcm)


def said(sessions, job) -> list[str]:
    return [final.segment.text for final in sessions.finals(ANONYMOUS, job.id)]


def test_finals_are_stored_with_the_cursor_that_they_move(house, sessions, ledger):
    one, two = claimed(house, sessions), claimed(house, sessions, encoding="opus")
    assert ledger.load(two) == (StreamSpec("opus"), Mark())
    assert ledger.commit([(one, [step(1), step(2)]), (two, [step(1, 'it\'s über \\ "this"')])]) == {one.id, two.id}
    assert said(sessions, one) == ["text 1", "text 2"]
    assert sessions.finals(ANONYMOUS, two.id) == [step(1, 'it\'s über \\ "this"').final]
    assert ledger.load(one)[1] == Mark(6400, 3200, b"head", 3205, 2)
    assert sessions.committed(ANONYMOUS, one.id) == 6400


def test_crashes_are_forgotten_once_a_run_gets_on_and_not_before(house, sessions, ledger):
    job = claimed(house, sessions)
    with house.database.work() as work:
        work.session.get_one(Job, UUID(job.id)).crashes = 2
    ledger.beat([Alive(job, 1.0)])
    assert house.row(job.id).crashes == 2
    ledger.beat([Alive(replace(job, token=uuid4()), 1.0, gets_on=True)])
    assert house.row(job.id).crashes == 2, "that was not the run that has it"
    ledger.beat([Alive(job, 1.0, gets_on=True)])
    assert house.row(job.id).crashes == 0


def test_a_silence_moves_the_cursor_and_says_nothing(house, sessions, ledger):
    job = claimed(house, sessions)
    ledger.commit([(job, [Step(Mark(64, 32, b"", 32, 0))])])
    assert ledger.load(job)[1].cursor == 32
    assert said(sessions, job) == []


def test_a_commit_that_is_made_twice_says_nothing_twice(house, sessions, ledger):
    job = claimed(house, sessions)
    for _ in range(2):
        assert ledger.commit([(job, [step(1, pcm=b"abcd")])]) == {job.id}
    assert said(sessions, job) == ["text 1"]


def test_a_worker_whose_session_was_taken_writes_nothing_and_loses_nothing_of_its_others(house, sessions, ledger):
    mine, lost = claimed(house, sessions), claimed(house, sessions)
    ledger.commit([(lost, [step(1)])])
    house.endings.release(lost)
    again = house.claim(lost.id)
    assert ledger.load(again)[1].n_finals == 1
    assert ledger.commit([(mine, [step(1)]), (lost, [step(2, "zombie", b"ab")])]) == {mine.id}
    ledger.commit([(again, [step(2, "right")])])
    assert said(sessions, again) == ["text 1", "right"]
    with house.database.work() as work:
        assert work.session.scalars(select(StreamSound)).all() == []


def test_signs_of_life_of_all_sessions_are_one_statement_and_bring_back_what_was_asked(house, sessions, ledger):
    jobs = [claimed(house, sessions) for _ in range(3)]
    house.change(jobs[1].id, cancel_requested=True)
    house.endings.release(jobs[2])
    answers = ledger.beat([Alive(job, 1.5) for job in jobs])
    assert {job_id: beat.cancel_requested for job_id, beat in answers.items()} == {jobs[0].id: False, jobs[1].id: True}
    assert (house.row(jobs[0].id).beat, house.row(jobs[0].id).duration_s) == (1, 1.5)
    assert ledger.beat([]) == {}


def test_a_finished_session_has_its_transcript_and_can_be_searched(house, sessions, ledger, finishing, storage):
    job = claimed(house, sessions)
    ledger.commit([(job, [step(1, "hello"), step(2, "world")])])
    assert finishing.complete(job, StreamSpec(), 4.0)
    row = house.row(job.id)
    assert (row.state, row.duration_s, row.audio_key) == ("COMPLETED", 4.0, None)
    catalogue = Catalogue(house.database, storage, {})
    transcript = catalogue.get_transcript(ANONYMOUS, job.id)
    assert transcript.text == "hello world"
    standing = sessions.standing(ANONYMOUS, job.id)
    assert (standing.state, standing.text, standing.duration_s) == (JobState.COMPLETED, "hello world", 4.0)
    assert list(transcript.segments) == [final.segment for final in sessions.finals(ANONYMOUS, job.id)]
    assert finishing.complete(job, StreamSpec(), 4.0), "a lost answer is asked for again"


def test_a_worker_whose_session_was_taken_cannot_finish_it(house, sessions, finishing):
    job = claimed(house, sessions, keep_audio=True)
    house.endings.release(job)
    assert not finishing.complete(job, StreamSpec(), 4.0)
    assert house.row(job.id).state == "QUEUED"


def test_whoever_asked_to_be_told_of_the_end_of_a_session_is_owed_it_once(house, sessions, finishing):
    job_id = sessions.open(ANONYMOUS, OpenStream()).job.id
    sessions.attach(ANONYMOUS, job_id)
    house.change(job_id, callback_url="https://example.org/told")
    job = house.claim(job_id)
    assert finishing.complete(job, StreamSpec(), 4.0)
    assert finishing.complete(job, StreamSpec(), 4.0)
    with house.database.work() as work:
        [owed] = work.session.scalars(select(Delivery)).all()
    assert (str(owed.job_id), owed.host) == (job_id, "example.org")


def test_kept_sound_becomes_one_recording_and_a_job_of_its_own_refines_it(
    house, sessions, ledger, finishing, storage, tmp_path
):
    spec = StreamSpec(keep_audio=True, refine=True)
    job = claimed(house, sessions, keep_audio=True, refine=True)
    pieces = [bytes([n, n]) * 10 for n in range(120)]
    for at in range(0, 120, 40):
        steps = [Step(Mark(cursor=n * 10 + 10), None, n * 10, pieces[n]) for n in range(at, at + 40)]
        ledger.commit([(job, steps)])
    assert finishing.complete(job, spec, 0.075)
    own = house.row(job.id)
    with storage.local_path(own.audio_key) as path, wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16000, 1, 2)
        assert file.readframes(10_000) == b"".join(pieces)
    with house.database.work() as work:
        assert work.session.scalars(select(StreamSound)).all() == []
        refining = work.session.scalars(select(Job).where(Job.source_id == own.id)).one()
    assert (refining.mode, refining.state, refining.content_type) == ("batch", "QUEUED", "audio/wav")
    outline = Catalogue(house.database, storage, {}).get_peaks(ANONYMOUS, job.id)
    loudest = [round(127 * n * 257 / 32768) for n in range(15, 120, 16)]
    assert (outline.bucket_s, list(outline.pairs[1::2])) == (0.01, [*loudest, 119])
    storage.delete(own.audio_key)
    with storage.local_path(refining.audio_key) as path:
        assert path.stat().st_size == own.size_bytes


def test_a_refined_session_is_diarized_if_a_worker_is_there_that_does(house, sessions, ledger, storage):
    announce(house.client, WorkerPresence("d", Mode.DIARIZATION.value, 1, 0))
    refinement = Refinement("scripted", "scripted", lambda: is_there(house.client, Mode.DIARIZATION.value))
    job = claimed(house, sessions, refine=True)
    ledger.commit([(job, [step(1, pcm=b"abcd")])])
    assert Finishing(house.database, storage, house.narrator, refinement).complete(job, StreamSpec(refine=True), 1.0)
    with house.database.work() as work:
        refining = work.session.scalars(select(Job).where(Job.source_id == house.row(job.id).id)).one()
    assert (refining.mode, refining.state, refining.estimated_s) == ("diarization", "QUEUED", 1.0)
    assert (refining.options["diarization_engine"], refining.options["transcribe"]) == ("scripted", True)
    leave(house.client, "d")
    assert refinement.mode() is Mode.BATCH


def test_a_session_that_could_not_be_finished_leaves_no_recording_behind(house, sessions, ledger, finishing, storage):
    job = claimed(house, sessions, refine=True)
    ledger.commit([(job, [step(1, pcm=b"abcd")])])
    house.endings.release(job)
    assert not finishing.complete(job, StreamSpec(refine=True), 1.0)
    assert list(storage.kept_keys(-1)) == []


def test_a_refined_session_without_sound_makes_no_job(house, sessions, finishing):
    job = claimed(house, sessions, refine=True)
    assert finishing.complete(job, StreamSpec(refine=True), 0.0)
    with house.database.work() as work:
        assert work.session.execute(text("SELECT count(*) FROM jobs")).scalar_one() == 1


def test_a_session_that_nobody_connects_to_is_given_up(house, sessions):
    parked = sessions.open(ANONYMOUS, OpenStream()).job.id
    connected = claimed(house, sessions).id
    assert give_up_unconnected(house.database, house.narrator, 600.0) == 0
    assert give_up_unconnected(house.database, house.narrator, 0.0) == 1
    row = house.row(parked)
    assert (row.state, row.error_code) == ("FAILED", "never_connected")
    assert house.row(connected).state == "PROCESSING"
    assert sessions.attach(ANONYMOUS, parked).has_ended


def test_without_postgresql_nothing_is_said_to_be_stored(redis_url):
    away = make_house("postgresql://127.0.0.1:1/none", redis_url)
    ledger = StreamLedger(away.database, Unhurried("postgresql+psycopg2://127.0.0.1:1/none"))
    job = type("Job", (), {"id": str(uuid4()), "token": uuid4()})()
    with pytest.raises(Unavailable):
        ledger.commit([(job, [step(1)])])
    with pytest.raises(Unavailable):
        ledger.beat([Alive(job, 0.0)])
