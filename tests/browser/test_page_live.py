"""Speaking and reading it at once: the browser's fake microphone plays a recording of tones, which the scripted engine
hears as words that are their pitches."""

import math
import struct
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import MICROPHONE, PATIENCE_MS
from tests.http_api import ServedApi
from tests.workers import Site, wait_for

RATE_HZ = 48_000
PITCHES = tuple(range(440, 440 + 30 * 20, 20))
CREATE = "/api/streamingTranscription/createJob"


def write_tones(path: Path) -> Path:
    """A tone of a third of a second each 0.6 s; every third time a pause that ends the utterance."""
    samples: list[float] = [0.0] * (RATE_HZ // 2)
    for n, pitch in enumerate(PITCHES):
        samples += [0.5 * math.sin(2 * math.pi * pitch * i / RATE_HZ) for i in range(RATE_HZ * 3 // 10)]
        samples += [0.0] * (RATE_HZ * (12 if n % 3 == 2 else 3) // 10)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(struct.pack(f"<{len(samples)}h", *(int(sample * 32767) for sample in samples)))
    return path


@pytest.fixture(scope="module")
def live(postgres_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedApi]:
    """An API with a streaming worker; skipped where this version has none."""
    folder = tmp_path_factory.mktemp("live")
    site = Site(postgres_url, redis_url, folder)
    with ServedApi(postgres_url, redis_url, folder) as api:
        if httpx.post(f"{api.url}{CREATE}", json={}).status_code == 404:
            pytest.skip("this version has no live mode")
        with site.worker(mode="streaming"):
            wait_for(lambda: has_room(api), PATIENCE_MS / 1000)
            yield api


def has_room(api: ServedApi) -> bool:
    workers = httpx.get(f"{api.url}/health").json()["workers"]
    return workers.get("streaming", {}).get("slots", 0) > 0


@pytest.fixture(scope="module")
def speaking(launch: Callable[..., Browser], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    tones = write_tones(tmp_path_factory.mktemp("tones") / "tones.wav")
    browser = launch(*MICROPHONE, f"--use-file-for-fake-audio-capture={tones}%noloop")
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


def test_words_appear_as_they_are_said_and_the_transcript_stays(page: Page):
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
    page.get_by_role("button", name="Play", exact=True).click()
    expect(page.locator(".w.lit")).to_be_visible()


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
    expect(page.get_by_role("button", name="Record another")).to_be_visible()
    browser.close()


def test_without_a_place_for_it_the_page_says_so(page: Page):
    page.route(f"**{CREATE}", lambda route: route.fulfill(status=404, json={"status": "error", "message": "x"}))
    press(page, "Start recording")
    expect(page.get_by_text("Live transcription is not available on this server.")).to_be_visible()
