"""Whoever watches a job sees how it stands, what happens, and its end, once each, even if Redis loses everything."""

import threading

import pytest

from app.domain.errors import NotFound
from app.domain.job import SEQ_PER_ATTEMPT, Mode
from app.domain.principal import ANONYMOUS, Principal
from app.queues.connection import connect
from app.queues.events import Event
from app.queues.hub import EventHub
from app.services.jobs.catalogue import Catalogue
from app.services.jobs.watch import Watch
from app.services.media.folder import FolderStorage
from tests.factories import House, make_transcript


@pytest.fixture
def watch(house, redis_url, tmp_path):
    catalogue = Catalogue(house.database, FolderStorage(tmp_path), {Mode.BATCH: house.queue})
    return Watch(catalogue, house.events, EventHub(connect(redis_url, read_timeout_s=10)))


def heard(job, n: int) -> Event:
    return Event(job.id, job.attempt * SEQ_PER_ATTEMPT + n, "segment", {"segment": {"text": f"word {n}"}})


def types(events) -> list[str]:
    return [event.type for event in events if event]


def test_a_late_comer_to_an_ended_job_is_told_its_end_and_nothing_twice(house: House, watch: Watch):
    job = house.claim(house.add_job())
    house.narrator.tell(heard(job, 1))
    house.endings.complete(job, make_transcript())
    events = list(watch.follow(ANONYMOUS, job.id))
    assert types(events) == ["state", "segment", "completed"]
    assert [event.seq for event in events] == sorted({event.seq for event in events})


def test_a_watcher_is_told_the_state_first_then_the_words_said_so_far_then_what_happens(house: House, watch: Watch):
    job = house.claim(house.add_job())
    house.narrator.tell(heard(job, 1))
    following = watch.follow(ANONYMOUS, job.id)
    first, second = next(following), next(following)
    assert (first.type, first.fields["state"], second.fields["segment"]["text"]) == ("state", "PROCESSING", "word 1")

    def go_on():
        house.narrator.tell(heard(job, 2))
        house.endings.complete(job, make_transcript())

    threading.Timer(0.3, go_on).start()
    assert types(following) == ["segment", "completed"]


def test_a_watcher_that_comes_back_is_told_only_what_it_missed(house: House, watch: Watch):
    job = house.claim(house.add_job())
    for n in (1, 2, 3):
        house.narrator.tell(heard(job, n))
    house.endings.complete(job, make_transcript())
    events = [event for event in watch.follow(ANONYMOUS, job.id, after=heard(job, 2).seq) if event]
    assert [event.fields.get("segment", {}).get("text") for event in events] == ["word 3", None]


def test_the_end_is_told_even_if_redis_has_lost_everything(house: House, watch: Watch):
    job = house.claim(house.add_job())
    following = watch.follow(ANONYMOUS, job.id)
    next(following)
    house.change(job.id, state="CANCELLED", claim=None, finished_at=house.row(job.id).created_at)
    house.client.flushdb()
    assert [(event.type, event.fields["state"]) for event in following if event] == [("state", "CANCELLED")]


def test_a_job_of_another_project_cannot_be_watched(house: House, watch: Watch):
    job_id = house.add_job()
    with pytest.raises(NotFound):
        watch.follow(Principal("someone-else"), job_id)
