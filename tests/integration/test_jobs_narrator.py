"""Events told aside, in a thread of their own, arrive in order and before the narrator is closed."""

from uuid import uuid4

import pytest

from app.domain.states import JobState
from app.queues.connection import connect
from app.queues.events import Event, EventLog
from app.services.jobs.narrator import AsideNarrator


@pytest.fixture
def events(redis_url):
    return EventLog(connect(redis_url))


def test_all_that_was_told_is_there_once_it_is_closed(events):
    narrator, job_id = AsideNarrator(events), str(uuid4())
    for n in range(1, 301):
        narrator.tell(Event(job_id, n, "segment", {"n": n}))
    narrator.close()
    assert [event.seq for event in events.read(job_id, 0)] == list(range(1, 301))


def test_late_words_among_others_are_refused_alone(events):
    first, other = str(uuid4()), str(uuid4())
    told = events.append_all([Event(first, 2, "state"), Event(first, 1, "state"), Event(other, 1, "state")])
    assert told == 2
    assert [event.seq for event in events.read(first, 0)] == [2]
    assert [event.seq for event in events.read(other, 0)] == [1]


def test_without_redis_nothing_waits_and_nothing_is_raised():
    narrator = AsideNarrator(EventLog(connect("unix:///nowhere/redis.sock")))
    narrator.state(str(uuid4()), JobState.COMPLETED, 1)
    narrator.close()
