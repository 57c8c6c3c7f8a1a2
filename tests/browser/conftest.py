"""A browser, and the whole service behind the page, with its workers. Skipped where there is no Chromium."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserType, Page, expect, sync_playwright

from tests.browser.stored import Store
from tests.running_service import RunningService, free_port

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "assets" / "demo"
PATIENCE_MS = 20_000
WORK_MS = 90_000
"""What an engine may take for some seconds of sound, on a machine that does much else."""
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
)
MICROPHONE = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
EXPECTED = ("Failed to load resource", "WebSocket connection to")
"""What the browser itself says of answers that a test brings about."""

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    running = RunningService(tmp_path_factory.mktemp("page") / "var", free_port()).start()
    yield running
    running.end()


@pytest.fixture(scope="session")
def store(service: RunningService) -> Iterator[Store]:
    with Store.of(service) as store:
        yield store


@pytest.fixture(scope="session")
def chromium() -> Iterator[BrowserType]:
    with sync_playwright() as playwright:
        yield playwright.chromium


@pytest.fixture(scope="session")
def launch(chromium: BrowserType) -> Callable[..., Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium on this machine: on Debian, apt-get install chromium")
    return lambda *arguments: chromium.launch(executable_path=path, args=[*QUIET, *arguments])


@pytest.fixture(scope="session")
def browser(launch: Callable[..., Browser]) -> Iterator[Browser]:
    browser = launch(*MICROPHONE)
    yield browser
    browser.close()


@pytest.fixture
def open_page(browser: Browser, service: RunningService) -> Iterator[Callable[..., Page]]:
    """Opens the page at an address within it; fails the test if a script of it broke."""
    problems: list[str] = []
    contexts = []

    def open_it(at: str = "#/", **options: object) -> Page:
        contexts.append(
            browser.new_context(**{"locale": "en-GB", "viewport": {"width": 1200, "height": 800}, **options})
        )
        page = contexts[-1].new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda said: said.type == "error" and problems.append(said.text))
        page.goto(f"{service.url}/{at}")
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert [problem for problem in problems if not problem.startswith(EXPECTED)] == []


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    return open_page()
