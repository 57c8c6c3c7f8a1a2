"""A receiver of callbacks that hangs: it holds up nothing but its own messages, and gets them when it wakes."""

from collections import Counter

import pytest
from sqlalchemy import text

from app.domain.delivery import DeliveryView
from app.domain.job import JobOptions
from app.domain.principal import ANONYMOUS
from app.queues.presence import list_workers
from app.services.delivery.deliveries import Deliveries
from app.services.jobs.views import options_to_dict
from tests.factories import House
from tests.outside import Exchange
from tests.workers import Site, wait_for, write_speechlike

N_JOBS = 5


@pytest.fixture
def site(house, postgres_url, redis_url, tmp_path):
    return Site(postgres_url, redis_url, tmp_path, {"ALLOW_PRIVATE_URLS": "true"})


@pytest.fixture
def submit(house: House, site: Site, tmp_path):
    recording = write_speechlike(tmp_path / "speech.wav", 4.0)
    options = options_to_dict(JobOptions(engine="scripted", model="v1"))

    def submit(callback_url: str) -> str:
        return house.add_job(options=options, audio_key=site.store(recording), callback_url=callback_url)

    return submit


def good(exchange: Exchange) -> None:
    exchange.say()


def arrived(world, path: str) -> int:
    return sum(request.path == path for request in world.received)


def deliveries(house: House, jobs: list[str]) -> Counter[str]:
    known = Deliveries(house.database)
    return Counter(one.state for job_id in jobs for one in known.list_deliveries(ANONYMOUS, job_id))


def delivery(house: House, job_id: str) -> DeliveryView:
    (one,) = Deliveries(house.database).list_deliveries(ANONYMOUS, job_id)
    return one


def test_a_receiver_that_hangs_holds_up_neither_jobs_nor_other_receivers(house: House, site: Site, world, submit):
    world.on("/hang", world.hang)
    world.on("/good", good)
    hung = [submit(world.url("/hang", host="localhost")) for _ in range(N_JOBS)]
    fine = [submit(world.url("/good")) for _ in range(N_JOBS)]
    with site.worker(), site.worker(mode="maintenance"):
        wait_for(lambda: deliveries(house, fine) == {"DELIVERED": N_JOBS}, 60)
        assert arrived(world, "/hang") > 0, "the one that hangs was not even tried"
        wait_for(lambda: all(house.row(job_id).finished_at for job_id in hung), 60)
        assert {house.row(job_id).state for job_id in hung + fine} == {"COMPLETED"}
        assert deliveries(house, hung) == {"PENDING": N_JOBS}
        wait_for(lambda: tries(house)["delivered"] == N_JOBS)


@pytest.mark.long
@pytest.mark.timeout(240)
def test_a_receiver_that_hung_is_tried_again_and_gets_its_messages_when_it_wakes(house, site, world, submit):
    world.on("/hang", world.hang)
    job_id = submit(world.url("/hang"))
    with site.worker(), site.worker(mode="maintenance"):
        wait_for(lambda: arrived(world, "/hang"))
        wait_for(lambda: delivery(house, job_id).tries, 90)
        one = delivery(house, job_id)
        assert (one.state, one.attempts, one.tries[0].status) == ("PENDING", 1, None)
        wait_for(lambda: arrived(world, "/hang") == 2, 30)
        world.on("/hang", good)
        with house.database.work() as work:  # the next time is far away
            work.session.execute(text("UPDATE deliveries SET next_at = now(), claim = NULL"))
        wait_for(lambda: deliveries(house, [job_id]) == {"DELIVERED": 1})
        assert tries(house)["retried"] >= 1
    assert len({request.headers["webhook-id"] for request in world.received}) == 1


def tries(house: House) -> Counter[str]:
    """What the maintenance workers tell of their tries."""
    told: Counter[str] = Counter()
    for worker in list_workers(house.client):
        told.update(worker.tries)
    return told
