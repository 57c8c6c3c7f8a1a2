"""The same API served by plain threads, in this process: nothing of a socket is left when it has ended."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest
from werkzeug.serving import make_server

from tests.http_api import make_app
from tests.live import speech, words_of
from tests.live_socket import Talk, texts_of
from tests.workers import PLUGINS, wait_for

pytestmark = pytest.mark.usefixtures("worker")


@pytest.fixture
def url(postgres_url, redis_url, tmp_path) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(PLUGINS)
        app = make_app(postgres_url, redis_url, tmp_path)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    serving.join()
    with app.app_context():
        app.extensions["sqlalchemy"].engine.dispose()


def live_threads() -> list[str]:
    return [one.name for one in threading.enumerate() if one.name.startswith("live-")]


def test_a_session_runs_and_leaves_no_thread(url):
    with Talk.to(url) as talk:
        talk.send(speech(2), pace=8)
        talk.stop()
        told = talk.rest()
        assert live_threads() != []
    assert texts_of(told) == words_of(2)
    wait_for(lambda: live_threads() == [], 15)


def test_a_client_that_is_gone_in_the_middle_leaves_no_thread(url):
    with Talk.to(url) as talk:
        ready = talk.until("ready")
        talk.send(speech(1))
        talk.until("final")
        talk.socket.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        talk.drop()
        wait_for(lambda: live_threads() == [], 15)
    with Talk.to(url, job_uuid=ready["job_uuid"], resume_token=ready["resume_token"]) as again:
        again.stop()
        assert again.rest()[-1]["transcription"] == words_of(1)[0]


@pytest.mark.long
def test_a_paused_sender_that_hangs_up_leaves_no_thread(url):
    with Talk.to(url, hotwords="sleep:*:0.5") as talk:
        ready = talk.until("ready")
        sending = threading.Thread(target=until_dropped, args=(talk, speech(40)), daemon=True)
        sending.start()
        assert talk.until("flow")["action"] == "pause"
        talk.drop()
        sending.join(10)
        wait_for(lambda: live_threads() == [], 60)
    httpx.post(f"{url}/api/jobs/{ready['job_uuid']}/cancel")


def until_dropped(talk: Talk, sound: bytes) -> None:
    with suppress(Exception):
        talk.send(sound)
