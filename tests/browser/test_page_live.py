"""Speaking and reading it at once: the browser's fake microphone plays a recording of tones, which the scripted engine
hears as words that are their pitches."""

import math
import struct
import wave
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.chromium import MICROPHONE, playing
from tests.browser.conftest import PATIENCE_MS, WORK_MS
from tests.http_api import ServedApi
from tests.workers import Site, wait_for, write_speechlike

RATE_HZ = 48_000
PITCHES = tuple(range(440, 440 + 30 * 20, 20))
INKED = "canvas => canvas.getContext('2d').getImageData(0, 30, canvas.width, 1).data.some(value => value > 0)"
CREATE = "/api/streamingTranscription/createJob"


def write_tones(path: Path, pitches: Sequence[int] = PITCHES, after: bytes = b"") -> Path:
    """A tone of a third of a second each 0.6 s; every third time a pause that ends the utterance."""
    samples: list[float] = [0.0] * (RATE_HZ // 2)
    for n, pitch in enumerate(pitches):
        samples += [0.5 * math.sin(2 * math.pi * pitch * i / RATE_HZ) for i in range(RATE_HZ * 3 // 10)]
        samples += [0.0] * (RATE_HZ * (12 if n % 3 == 2 else 3) // 10)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(struct.pack(f"<{len(samples)}h", *(int(sample * 32767) for sample in samples)) + after)
    return path


def write_tones_and_speech(folder: Path) -> Path:
    """Three tones, which are words live, and then somebody who speaks: a word to the engine that hears recordings."""
    with wave.open(str(write_speechlike(folder / "speech.wav", 8.0, RATE_HZ))) as speech:
        return write_tones(folder / "both.wav", PITCHES[:3], speech.readframes(speech.getnframes()))


@pytest.fixture(scope="module")
def live(postgres_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedApi]:
    """An API with a streaming worker; skipped where this version has none."""
    folder = tmp_path_factory.mktemp("live")
    site = Site(postgres_url, redis_url, folder)
    with ServedApi(postgres_url, redis_url, folder) as api:
        if httpx.post(f"{api.url}{CREATE}", json={}).status_code == 404:
            pytest.skip("this version has no live mode")
        with site.worker(mode="streaming"), site.worker(mode="batch"):
            wait_for(lambda: has_room(api), PATIENCE_MS / 1000)
            yield api


def has_room(api: ServedApi) -> bool:
    workers = httpx.get(f"{api.url}/health").json()["workers"]
    return workers.get("streaming", {}).get("slots", 0) > 0


@pytest.fixture(scope="module")
def speaking(launch: Callable[..., Browser], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    tones = write_tones(tmp_path_factory.mktemp("tones") / "tones.wav")
    browser = launch(*MICROPHONE, playing(tones))
    yield browser
    browser.close()


@pytest.fixture
def page(live: ServedApi, speaking: Browser) -> Iterator[Page]:
    context = speaking.new_context(locale="en-GB")
    page = context.new_page()
    page.goto(f"{live.url}/#/live")
    yield page
    context.close()


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).click()


def words(page: Page) -> list[int]:
    return [int(word) for line in page.get_by_role("log").locator("p").all() for word in line.inner_text().split()[1:]]


def heard_in_order(page: Page) -> list[int]:
    """The words so far: none left out, none twice. The first and the last do not count: they may be tones cut short."""
    said = words(page)[1:-1]
    assert said == list(range(said[0], said[0] + 20 * len(said), 20))
    return said


def test_words_appear_as_they_are_said_and_the_transcript_stays(page: Page, live: ServedApi):
    press(page, "Start recording")
    expect(page.locator(".partial")).to_contain_text("460")
    expect(page.get_by_role("log")).to_contain_text("540")
    expect(page.get_by_role("link", name="Recording", exact=True)).to_be_visible()
    press(page, "Stop")
    expect(page.get_by_text("Done.")).to_be_visible()
    said = heard_in_order(page)
    press(page, "Open the transcript")
    transcript = page.get_by_role("region", name="Transcript")
    expect(transcript).to_contain_text(str(said[0]))
    job_id = page.url.rsplit("/", 1)[1]
    assert page.request.get(f"{live.url}/api/jobs/{job_id}/peaks").ok, "the worker has drawn it"
    assert page.locator(".waveform canvas").evaluate(INKED)
    page.get_by_role("button", name="Play", exact=True).click()
    expect(page.locator(".w.lit")).to_be_visible()


def test_a_session_is_transcribed_again_and_the_two_lead_to_each_other(
    live: ServedApi, launch: Callable[..., Browser], tmp_path: Path
):
    with launch(*MICROPHONE, playing(write_tones_and_speech(tmp_path))) as browser:
        page = browser.new_page(locale="en-GB")
        page.goto(f"{live.url}/#/live")
        page.get_by_label("Transcribe it again, better, when it ends").check()
        press(page, "Start recording")
        expect(page.get_by_role("log")).to_contain_text("480")
        expect(page.get_by_role("timer")).to_contain_text("0:08")
        press(page, "Stop")
        press(page, "Open the better one")
        transcript = page.get_by_role("region", name="Transcript")
        expect(transcript).to_contain_text("span", timeout=WORK_MS)
        page.get_by_role("link", name="What was heard live").click()
        expect(transcript).to_contain_text("480")
        page.get_by_role("link", name="Open the better one").click()
        expect(transcript).to_contain_text("span")


@pytest.mark.long
def test_a_lost_connection_costs_no_word(page: Page, live: ServedApi):
    press(page, "Start recording")
    expect(page.get_by_role("log")).to_contain_text("480")
    live.kill()
    expect(page.get_by_text("The connection is lost. Recording goes on")).to_be_visible()
    page.wait_for_timeout(1500)
    live.start_again()
    expect(page.get_by_text("Listening")).to_be_visible()
    expect(page.get_by_role("log")).to_contain_text("720")
    press(page, "Stop")
    expect(page.get_by_text("Done.")).to_be_visible()
    assert len(heard_in_order(page)) >= 12


@pytest.mark.long
def test_a_pause_leaves_out_what_is_said_in_it_and_another_view_does_not_stop_it(page: Page):
    press(page, "Start recording")
    expect(page.get_by_role("log")).to_contain_text("480")
    press(page, "Pause")
    expect(page.get_by_text("Paused; nothing is recorded")).to_be_visible()
    press(page, "Go on")
    page.get_by_role("link", name="Operations").click()
    page.get_by_role("link", name="Recording", exact=True).click()
    expect(page.get_by_role("log")).to_contain_text("480")
    press(page, "Stop")
    expect(page.get_by_text("Done.")).to_be_visible()


def test_a_refused_microphone_is_told_in_words(live: ServedApi, launch: Callable[..., Browser]):
    browser = launch()
    page = browser.new_page(locale="en-GB")
    page.goto(f"{live.url}/#/live")
    press(page, "Start recording")
    expect(page.get_by_role("status").filter(has_text="microphone")).to_be_visible()
    expect(page.get_by_role("button", name="Start recording")).to_be_visible()
    browser.close()


def test_without_a_place_for_it_the_page_says_so(page: Page):
    page.route(f"**{CREATE}", lambda route: route.fulfill(status=404, json={"status": "error", "message": "x"}))
    press(page, "Start recording")
    expect(page.get_by_text("Live transcription is not available on this server.")).to_be_visible()
