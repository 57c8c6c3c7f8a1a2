"""A session goes on over another connection: nothing is lost, nothing is told twice."""

import httpx
import pytest
import redis

from tests.http_api import ServedApi
from tests.live import speech, words_of
from tests.live_socket import STREAM_RESULT, Talk, texts_of
from tests.workers import wait_for

pytestmark = pytest.mark.usefixtures("worker")
SOUND = speech(4)
CUT = int(len(SOUND) * 0.45) // 2 * 2


def again(url: str, talk: Talk, **query):
    """Come back to the session that `talk` began."""
    ready = talk.of("ready")[0]
    return Talk.to(url, job_uuid=ready["job_uuid"], resume_token=ready["resume_token"], **query)


def go_on(talk: Talk) -> list[dict]:
    """Send what is not held yet, and hear all the rest."""
    received = talk.until("ready")["received"]
    talk.send(SOUND[received * 2 :])
    talk.stop()
    return talk.rest()


def test_a_connection_that_was_cut_is_gone_on_with(served):
    with Talk.to(served.url) as first:
        first.until("ready")
        first.send(SOUND[: CUT + 1], pace=8)
        first.until("final")
        first.drop()
    n_known = len(texts_of(first.told))
    with again(served.url, first, after=n_known) as second:
        told = go_on(second)
    assert texts_of(first.told) + texts_of(told) == words_of(4)
    assert [final["seq"] for final in second.of("final")] == list(range(n_known + 1, 5))
    assert told[-1]["transcription"] == " ".join(words_of(4))


def test_finals_are_told_again_to_a_client_that_has_none(served):
    with Talk.to(served.url) as first:
        first.until("ready")
        first.send(SOUND[:CUT])
        first.until("final")
    with again(served.url, first) as second:
        assert texts_of(go_on(second)) == words_of(4)


def test_a_second_connection_takes_the_session_over(served):
    with Talk.to(served.url) as first:
        first.until("ready")
        first.send(SOUND[:CUT])
        first.until("final")
        with again(served.url, first) as second:
            second.until("ready")
            assert first.rest()[-1]["code"] == "taken_over"
            assert first.code == 1008
            second.told.clear()
            received = first.of("ready")[0]["received"]
            assert received == 0
            second.send(SOUND[CUT:])
            second.stop()
            told = second.rest()
    assert told[-1]["transcription"] == " ".join(words_of(4))


def test_a_session_that_has_ended_tells_what_was_missed(served):
    with Talk.to(served.url) as first:
        first.until("ready")
        first.send(SOUND)
        first.stop()
    job_id = first.of("ready")[0]["job_uuid"]
    wait_for(lambda: status(served.url, job_id) == "COMPLETED")
    with again(served.url, first, after=1) as second:
        told = second.rest()
    assert [one["type"] for one in told] == ["ready", "final", "final", "final", "completed"]
    assert texts_of(told) == words_of(4)[1:]
    assert (told[-1]["transcription"], second.code) == (" ".join(words_of(4)), 1000)


def status(url: str, job_id: str) -> str:
    return httpx.get(url + STREAM_RESULT, params={"job_uuid": job_id}).json()["data"]["status"]


@pytest.mark.long
def test_a_client_whose_api_process_is_killed_goes_on_with_another(served, postgres_url, redis_url, tmp_path):
    with ServedApi(postgres_url, redis_url, tmp_path) as doomed:
        with Talk.to(doomed.url) as first:
            first.until("ready")
            first.send(SOUND[:CUT])
            first.until("final")
            doomed.kill_all()
            first.rest()
        with again(served.url, first, after=len(texts_of(first.told))) as second:
            told = go_on(second)
    assert texts_of(first.told) + texts_of(told) == words_of(4)


def test_a_client_is_told_to_send_again_what_redis_has_lost(served, redis_url):
    with Talk.to(served.url) as first:
        first.until("ready")
        first.send(SOUND[:CUT])
        first.until("final")
        with redis.Redis.from_url(redis_url) as client:
            client.flushall()
        first.send(SOUND[CUT : CUT + 32_000])
        assert first.rest()[-1]["code"] == "stream_lost"
        assert first.code == 1011
    with again(served.url, first, after=len(texts_of(first.told))) as second:
        assert second.until("ready")["received"] == second.told[-1]["committed"]
        second.send(SOUND[second.told[-1]["received"] * 2 :])
        second.stop()
        told = second.rest()
    assert texts_of(first.told) + texts_of(told) == words_of(4)
