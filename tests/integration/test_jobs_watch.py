"""Whoever watches a job sees how it stands, what happens, and its end, once each, even if Redis loses everything."""

import threading
from collections.abc import Callable

import pytest
import redis

from app.domain.errors import NotFound
from app.domain.job import SEQ_PER_ATTEMPT, Mode
from app.domain.principal import ANONYMOUS, Principal
from app.domain.states import JobState
from app.queues.connection import connect
from app.queues.events import Event, EventLog
from app.queues.hub import EventHub
from app.services.jobs.catalogue import Catalogue
from app.services.jobs.endings import Endings, RetryPolicy
from app.services.jobs.narrator import Narrator
from app.services.jobs.watch import Watch
from app.services.media.folder import FolderStorage
from tests.factories import House, make_transcript
from tests.workers import wait_for


@pytest.fixture
def make_watch(house, redis_url, tmp_path):
    def make(client=None, events=None) -> Watch:
        catalogue = Catalogue(house.database, FolderStorage(tmp_path), {Mode.BATCH: house.queue})
        hub = EventHub(client or connect(redis_url, read_timeout_s=10))
        return Watch(catalogue, events or house.events, hub)

    return make


@pytest.fixture
def watch(make_watch):
    return make_watch()


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


class LateRedis(redis.Redis):
    """Subscribes no earlier than it may."""

    may_subscribe: threading.Event

    def pubsub(self, **options):
        assert self.may_subscribe.wait(20)
        return super().pubsub(**options)


class BusyLog(EventLog):
    """Things happen right after its first reading."""

    happening: Callable[[], None] | None = None

    def read(self, job_id: str, after: int) -> list[Event]:
        told = super().read(job_id, after)
        happening, self.happening = self.happening, None
        if happening:
            happening()
        return told


def test_words_said_before_the_subscription_stands_are_told_before_the_end(house: House, make_watch, redis_url):
    job = house.claim(house.add_job())
    client, log = LateRedis.from_url(redis_url), BusyLog(house.client)
    client.may_subscribe = threading.Event()
    log.happening = lambda: (house.narrator.tell(heard(job, 1)), client.may_subscribe.set())
    following = make_watch(client, log).follow(ANONYMOUS, job.id)
    assert next(following).type == "state"

    def end():
        wait_for(lambda: client.pubsub_numsub("job-events")[0][1])
        house.endings.complete(job, make_transcript())

    ending = threading.Thread(target=end)
    ending.start()
    assert types(following) == ["segment", "completed"]
    ending.join()


@pytest.mark.parametrize("is_late_comer", [False, True])
def test_an_end_that_the_table_knows_before_it_is_told_does_not_overtake_the_words(
    house: House, watch: Watch, is_late_comer
):
    job = house.claim(house.add_job())
    house.narrator.state(job.id, JobState.PROCESSING, job.attempt)
    following = watch.follow(ANONYMOUS, job.id)
    first = None if is_late_comer else next(following)
    silent = Endings(house.database, Unheard(house.events), "w", RetryPolicy())
    silent.complete(job, make_transcript())

    def tell():
        house.narrator.tell(heard(job, 1))
        house.narrator.state(job.id, JobState.COMPLETED, job.attempt)

    telling = threading.Timer(1.0, tell)
    telling.start()
    assert types(following) == [*([] if first else ["state"]), "segment", "completed"]
    telling.join()


class Unheard(Narrator):
    """Tells nothing."""

    def tell(self, event: Event) -> None:
        pass


def test_a_job_that_ends_while_one_begins_to_watch_it_is_followed_to_that_end(house: House, make_watch):
    job = house.claim(house.add_job())
    following = make_watch().follow(ANONYMOUS, job.id)
    house.narrator.tell(heard(job, 1))
    house.endings.complete(job, make_transcript())
    assert types(following) == ["state", "segment", "completed"]


def test_a_late_comer_to_a_cancelled_job_is_told_its_end_after_its_words(house: House, watch: Watch):
    job = house.claim(house.add_job())
    house.narrator.tell(heard(job, 1))
    house.endings.cancel(job)
    events = list(watch.follow(ANONYMOUS, job.id))
    assert types(events) == ["state", "segment", "state"]
    assert [event.seq for event in events] == sorted({event.seq for event in events})
