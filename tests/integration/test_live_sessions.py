"""Opening live sessions, coming back to them, and what may not be."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from sqlalchemy import update

from app.domain.errors import NoCapacity, NotFound, TokenRefused, TooManySessions, Unavailable
from app.domain.job import JobOptions, Mode
from app.domain.live import StreamSpec
from app.domain.principal import ANONYMOUS, Principal
from app.domain.transcript import Segment, Word, segment_to_dict
from app.models import JobSegment, Project, StreamSession
from app.queues.hints import HintQueue
from app.queues.presence import WorkerPresence, announce
from app.services.health import HealthCheck
from app.services.jobs.catalogue import Catalogue
from app.services.media.folder import FolderStorage
from app.services.streaming.sessions import OpenStream
from tests.factories import House, make_house
from tests.live import make_sessions

pytestmark = pytest.mark.usefixtures("clean")
OTHER = Principal(project_id="other")


@pytest.fixture
def sessions(house):
    has_room(house, 2)
    return make_sessions(house)


def has_room(house: House, n_slots: int) -> None:
    announce(house.client, WorkerPresence("w", Mode.STREAMING.value, n_slots, 0))


def hinted(house: House) -> list[str]:
    return [one.decode() for one in house.client.zrange("streaming_queue", 0, -1)]


def test_a_session_waits_for_its_first_connection_and_is_then_due(house, sessions):
    opened = sessions.open(ANONYMOUS, OpenStream(spec=StreamSpec("mulaw", 8000, keep_audio=True)))
    assert hinted(house) == []
    assert house.claims.claim_oldest(Mode.STREAMING, uuid4()) is None
    attached = sessions.attach(ANONYMOUS, opened.job.id)
    assert attached.spec == StreamSpec("mulaw", 8000, keep_audio=True)
    assert hinted(house) == [opened.job.id]
    assert house.claim(opened.job.id).mode is Mode.STREAMING


def test_only_the_first_connection_is_given_the_token_and_only_its_hash_is_stored(house, sessions):
    job_id = sessions.open(ANONYMOUS, OpenStream()).job.id
    token = sessions.attach(ANONYMOUS, job_id).resume_token
    with house.database.work() as work:
        row = work.session.query(StreamSession).one()
        assert token not in (row.token_hash, None)
    assert sessions.attach(ANONYMOUS, job_id, token).resume_token is None
    for wrong in (None, "", token + "x"):
        with pytest.raises(TokenRefused):
            sessions.attach(ANONYMOUS, job_id, wrong)


def test_a_session_of_another_project_is_not_found_even_with_its_token(house, sessions):
    job_id = sessions.open(ANONYMOUS, OpenStream()).job.id
    token = sessions.attach(ANONYMOUS, job_id).resume_token
    for ask in (
        lambda: sessions.attach(OTHER, job_id, token),
        lambda: sessions.finals(OTHER, job_id),
        lambda: sessions.committed(OTHER, job_id),
        lambda: sessions.attach(ANONYMOUS, house.add_job()),
        lambda: sessions.attach(ANONYMOUS, "nonsense"),
    ):
        with pytest.raises(NotFound):
            ask()


def test_without_room_a_session_is_refused_and_not_queued(house, sessions):
    first, second = (sessions.open(ANONYMOUS, OpenStream()).job.id for _ in range(2))
    third = sessions.open(ANONYMOUS, OpenStream()).job.id
    sessions.attach(ANONYMOUS, first)
    sessions.attach(ANONYMOUS, second)
    with pytest.raises(NoCapacity) as refused:
        sessions.open(ANONYMOUS, OpenStream())
    assert refused.value.params["retry_after_s"] > 0
    with pytest.raises(NoCapacity):
        sessions.attach(ANONYMOUS, third)
    house.endings.cancel(house.claim(first))
    assert sessions.attach(ANONYMOUS, third).resume_token


def test_without_a_streaming_worker_there_is_no_room(house):
    announce(house.client, WorkerPresence("w", Mode.BATCH.value, 9, 0))
    with pytest.raises(NoCapacity):
        make_sessions(house).open(ANONYMOUS, OpenStream())


def test_without_redis_nobody_knows_whether_there_is_room(house, postgres_url):
    away = make_house(postgres_url, "redis://127.0.0.1:1")
    with pytest.raises(Unavailable) as refused:
        make_sessions(away).open(ANONYMOUS, OpenStream())
    assert not isinstance(refused.value, NoCapacity)


def test_a_project_has_at_most_its_limit_of_sessions_even_unconnected_ones(house):
    has_room(house, 9)
    sessions = make_sessions(house, project_max=2)
    job_ids = [sessions.open(ANONYMOUS, OpenStream()).job.id for _ in range(2)]
    with pytest.raises(TooManySessions):
        sessions.open(ANONYMOUS, OpenStream())
    sessions.open(OTHER, OpenStream())
    sessions.attach(ANONYMOUS, job_ids[0])
    house.endings.cancel(house.claim(job_ids[0]))
    sessions.open(ANONYMOUS, OpenStream())
    with house.database.work() as work:
        work.session.execute(update(Project).where(Project.id == "other").values(max_streams=1))
    with pytest.raises(TooManySessions):
        sessions.open(OTHER, OpenStream())


def test_finals_are_told_in_order_after_the_one_that_is_known(house, sessions):
    job_id = sessions.open(ANONYMOUS, OpenStream()).job.id
    words = (Word("one", 0.0, 0.5, 0.9),)
    with house.database.work() as work:
        for seq in (2, 1, 3):
            segment = segment_to_dict(Segment(0, seq, seq + 0.5, f"text {seq}", 0.9, None, words))
            work.session.add(
                JobSegment(job_id=job_id, seq=seq, segment=segment, speech_final=True, alternatives=[["x", 0.5]])
            )
    told = sessions.finals(ANONYMOUS, job_id, after=1)
    assert [(final.seq, final.segment.text, final.alternatives) for final in told] == [
        (2, "text 2", (("x", 0.5),)),
        (3, "text 3", (("x", 0.5),)),
    ]
    assert told[0].segment.words == words


def test_an_ended_session_can_still_be_attached_to_for_what_was_said(house, sessions):
    job_id = sessions.open(ANONYMOUS, OpenStream()).job.id
    token = sessions.attach(ANONYMOUS, job_id).resume_token
    assert not sessions.attach(ANONYMOUS, job_id, token).has_ended
    house.endings.cancel(house.claim(job_id))
    assert sessions.attach(ANONYMOUS, job_id, token).has_ended


def test_a_session_that_nobody_has_connected_to_does_not_count_as_waiting(house, sessions):
    job_id = sessions.open(ANONYMOUS, OpenStream(options=JobOptions(language="en"))).job.id
    health = HealthCheck(house.database, house.client, {mode: HintQueue(house.client, mode) for mode in Mode})
    assert health.check().queues["streaming_queue"].waiting == 0
    sessions.attach(ANONYMOUS, job_id)
    assert health.check().queues["streaming_queue"].waiting == 1


def test_a_session_is_a_job_like_others_to_look_at(house, sessions, tmp_path):
    job_id = sessions.open(ANONYMOUS, OpenStream(metadata={"a": 1})).job.id
    queues = {mode: HintQueue(house.client, mode) for mode in Mode}
    catalogue = Catalogue(house.database, FolderStorage(tmp_path), queues)
    refining = house.add_job(source_id=job_id)
    job = catalogue.get_job(ANONYMOUS, job_id)
    assert (job.mode, job.metadata, job.refined_by) == (Mode.STREAMING, {"a": 1}, (refining,))
    assert catalogue.get_job(ANONYMOUS, refining).source_id == job_id
    assert catalogue.get_transcript(ANONYMOUS, job_id).segments == ()


def test_a_session_that_begins_with_its_socket_is_due_at_once_and_has_its_token(house, sessions):
    begun = sessions.begin(ANONYMOUS, OpenStream(spec=StreamSpec("mulaw", 8000), metadata={"call": "7"}))
    assert hinted(house) == [begun.job.id]
    again = sessions.attach(ANONYMOUS, begun.job.id, begun.resume_token)
    assert (again.spec, again.job.metadata, again.resume_token) == (StreamSpec("mulaw", 8000), {"call": "7"}, None)
    assert again.job == begun.job
    with pytest.raises(TokenRefused):
        sessions.attach(ANONYMOUS, begun.job.id)
    assert house.claim(begun.job.id).mode is Mode.STREAMING


def test_a_session_that_nobody_can_hear_does_not_begin_and_leaves_nothing(house, sessions):
    for _ in range(2):
        sessions.begin(ANONYMOUS, OpenStream())
    with pytest.raises(NoCapacity):
        sessions.begin(ANONYMOUS, OpenStream())
    limited = make_sessions(house, project_max=2)
    with pytest.raises(TooManySessions) as refused:
        limited.begin(ANONYMOUS, OpenStream())
    assert refused.value.params["limit"] == 2
    with house.database.work() as work:
        assert work.session.query(StreamSession).count() == 2
    has_room(house, 3)
    assert limited.begin(OTHER, OpenStream()).resume_token


def test_room_that_has_just_come_is_found_before_anybody_is_refused(house, sessions):
    for _ in range(2):
        sessions.begin(ANONYMOUS, OpenStream())
    has_room(house, 3)
    assert sessions.begin(ANONYMOUS, OpenStream()).resume_token
    parked = make_parked(house)
    with pytest.raises(NoCapacity):
        sessions.attach(ANONYMOUS, parked)
    has_room(house, 4)
    assert sessions.attach(ANONYMOUS, parked).resume_token


def make_parked(house: House) -> str:
    """A session that was opened while there was room for it."""
    has_room(house, 9)
    job_id = make_sessions(house).open(ANONYMOUS, OpenStream()).job.id
    has_room(house, 3)
    return job_id


def test_sessions_that_begin_at_the_same_time_never_take_more_than_there_is(house):
    has_room(house, 3)
    processes = [make_sessions(house) for _ in range(2)]

    def begin(n: int) -> bool:
        try:
            return bool(processes[n % 2].begin(ANONYMOUS, OpenStream()).resume_token)
        except NoCapacity:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(begin, range(16))) == 3
