"""What a browser's own recorder makes of its microphone, sent as it comes: WebM (or Ogg) with Opus, cut anywhere."""

import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from app.audio.sound import RATE_HZ
from app.cli.listening.sources import recording
from tests.browser.conftest import DEMO, MICROPHONE, PATIENCE_MS
from tests.browser.test_page_live import has_room
from tests.http_api import ServedApi
from tests.live_socket import STREAM, texts_of
from tests.workers import Site, wait_for

RECORDING = DEMO / "garden.flac"
TIME_SLICE_MS = 250
SEND_WHAT_IS_RECORDED = """
async ({url, type, slice_ms, record_ms}) => {
    const exact = {echoCancellation: false, noiseSuppression: false, autoGainControl: false};
    const microphone = await navigator.mediaDevices.getUserMedia({audio: exact});
    const socket = new WebSocket(url);
    const told = [];
    socket.onmessage = (event) => told.push(JSON.parse(event.data));
    const closed = new Promise((done) => (socket.onclose = (event) => done(event.code)));
    await new Promise((done) => (socket.onopen = done));
    const recorder = new MediaRecorder(microphone, {mimeType: type});
    const sizes = [];
    recorder.ondataavailable = ({data}) => { sizes.push(data.size); socket.send(data); };
    const stopped = new Promise((done) => (recorder.onstop = done));
    recorder.start(slice_ms);
    await new Promise((done) => setTimeout(done, record_ms));
    recorder.stop();
    await stopped;
    socket.send('{"type": "stop"}');
    return {code: await closed, told, sizes};
}
"""


def sound_of(path: Path) -> bytes:
    """s16le, mono, 16 kHz."""
    return b"".join(recording(path, is_paced=False))


@pytest.fixture(scope="module")
def live(postgres_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedApi]:
    """An API with a streaming worker."""
    folder = tmp_path_factory.mktemp("live")
    with (
        ServedApi(postgres_url, redis_url, folder) as api,
        Site(postgres_url, redis_url, folder).worker(mode="streaming"),
    ):
        wait_for(lambda: has_room(api), PATIENCE_MS / 1000)
        yield api


@pytest.fixture(scope="module")
def page(launch: Callable[..., Browser], live: ServedApi, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A page of the service, in a browser whose microphone hears the recording."""
    heard = tmp_path_factory.mktemp("microphone") / "heard.wav"
    with wave.open(str(heard), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(sound_of(RECORDING))
    browser = launch(*MICROPHONE, f"--use-file-for-fake-audio-capture={heard}%noloop")
    page = browser.new_page()
    page.goto(live.url)
    yield page
    browser.close()


@pytest.mark.parametrize("container", ["webm", "ogg"])
def test_what_a_browser_records_is_heard_word_by_word(live: ServedApi, page: Page, container: str):
    kind = f"audio/{container};codecs=opus"
    if not page.evaluate("(type) => MediaRecorder.isTypeSupported(type)", kind):
        pytest.skip(f"this browser does not record {kind}")
    length_s = len(sound_of(RECORDING)) / 2 / RATE_HZ
    ended = page.evaluate(
        SEND_WHAT_IS_RECORDED,
        {
            "url": f"{live.url.replace('http', 'ws')}{STREAM}?encoding=opus&engine=pocketsphinx",
            "type": kind,
            "slice_ms": TIME_SLICE_MS,
            "record_ms": 1000 * length_s + 500,
        },
    )
    assert len(ended["sizes"]) > length_s * 1000 / TIME_SLICE_MS / 2
    assert ended["code"] == 1000, ended["told"][-1]
    done = ended["told"][-1]
    assert "the sun was shining" in done["transcription"]
    assert done["transcription"] == " ".join(texts_of(ended["told"]))
    assert done["duration"] == pytest.approx(length_s, abs=1.5)
