"""A real streaming worker with the scripted engine: what is sent comes back as words."""

import pytest

from tests.factories import House, make_house
from tests.live import Gateway, speech, texts, words_of
from tests.workers import Site, wait_for

pytestmark = pytest.mark.usefixtures("clean")
QUICK = {"STREAM_SLOTS": "4", "STREAM_ABANDONED_S": "1", "STREAM_BEAT_S": "0.3", "STREAM_LEASE_S": "1.5"}


@pytest.fixture
def house(postgres_url, redis_url, clean) -> House:
    house = make_house(postgres_url, redis_url)
    yield house
    house.engine.dispose()


@pytest.fixture
def gateway(house, redis_url) -> Gateway:
    return Gateway(house, redis_url)


@pytest.fixture
def site(postgres_url, redis_url, tmp_path) -> Site:
    return Site(postgres_url, redis_url, tmp_path, dict(QUICK))


def test_words_come_while_they_are_said_and_are_kept(house, gateway, site):
    sound = speech(3)
    with site.worker(mode="streaming"), gateway.connected(gateway.open()) as client:
        client.send(sound, pace=4)
        client.stop()
        completed = client.wait("completed")
        assert client.finals() == words_of(3), site.logs()
        assert [message.fields["seq"] for message in client.of("final")] == [1, 2, 3]
        partials = [message.fields for message in client.of("partial")]
        assert {partial["seq"] for partial in partials} == {1, 2, 3}
        assert partials[0]["text"] == "w300"
        assert completed[0].fields["duration"] == pytest.approx(len(sound) / 32000, abs=0.001)
        assert texts(gateway.finals(client.job_id)) == words_of(3)
        row = house.row(client.job_id)
        assert (row.state, row.attempt, row.crashes) == ("COMPLETED", 1, 0)
        wait_for(lambda: not list(house.client.scan_iter(f"s:{client.job_id}:*")))
