"""What the page is: small, and usable by everybody."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import DEMO
from tests.browser.stored import Store, conversation

FIRST_VIEW_BYTES = 100_000
SERIOUS = {"serious", "critical"}
VIEWS = {
    "recordings": ("#/", "History"),
    "transcript": ("#/jobs/{job}", "talk.flac"),
    "live": ("#/live", "Live"),
    "operations": ("#/operations", "Queues"),
    "nothing": ("#/jobs/00000000-0000-4000-8000-000000000000", "Not here"),
}
NAVIGATION = ("Recordings", "Live", "Operations")
FOCUSED = """(() => {
    const { activeElement: at } = document;
    const ringed = at.id === "files" ? document.querySelector(".drop") : at;
    return [at.ariaLabel || at.id || at.textContent, getComputedStyle(ringed).outlineStyle];
})()"""
"""What the keyboard is at, and the style of the ring round it; that of the hidden file field is round its label."""
SMALL_TARGETS = """[...document.querySelectorAll("button, select, input:not([type=file]), summary, nav a, .button")]
    .map(target => [target.outerHTML.slice(0, 80), (target.closest("label") ?? target).getBoundingClientRect()])
    .filter(([, box]) => box.width && (box.width < 24 || box.height < 24))"""


@pytest.fixture(scope="module")
def job_id(store: Store) -> str:
    return store.put(conversation(["good morning everyone", "thank you for coming"]), DEMO / "meeting.flac")


@pytest.mark.parametrize(
    ("scheme", "width"),
    [
        ("light", 1200),
        ("dark", 390),
        pytest.param("light", 390, marks=pytest.mark.long),
        pytest.param("dark", 1200, marks=pytest.mark.long),
    ],
)
def test_no_view_shuts_anybody_out(open_page: Callable[..., Page], job_id: str, scheme: str, width: int):
    page = open_page(color_scheme=scheme, viewport={"width": width, "height": 800})
    found = []
    for name, (at, heading) in VIEWS.items():
        page.goto(page.url.split("#")[0] + at.format(job=job_id))
        expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
        violations = Axe().run(page).response["violations"]
        found += [
            (name, one["id"], [node["html"] for node in one["nodes"]]) for one in violations if one["impact"] in SERIOUS
        ]
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} is wider than the screen"
        assert page.evaluate(SMALL_TARGETS) == [], f"{name} has what a finger misses"
    assert found == []


def test_the_first_view_is_small(open_page: Callable[..., Page], browser):
    page = open_page()
    page.context.clear_cookies()
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    sizes: list[float] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.reload()
    expect(page.get_by_role("heading", name="History")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert 10_000 < sum(sizes) <= FIRST_VIEW_BYTES


def test_large_text_and_narrow_screens_cut_nothing_off(open_page: Callable[..., Page], job_id: str):
    page = open_page(viewport={"width": 375, "height": 800}, reduced_motion="reduce")
    for name, (at, heading) in VIEWS.items():
        page.goto(page.url.split("#")[0] + at.format(job=job_id))
        expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} is wider than the screen"


def test_every_stop_of_the_keyboard_is_seen(open_page: Callable[..., Page], store: Store):
    store.put(conversation(["one two"]), filename="stop.wav")
    page = open_page()
    expect(page.get_by_role("link", name="stop.wav").first).to_be_visible()
    stops = []
    for _ in range(16):
        page.keyboard.press("Tab")
        stops.append(page.evaluate(FOCUSED))
    names = [name for name, _ in stops]
    assert names[:9] == [
        "Skip to the content",
        "Parloir",
        *NAVIGATION,
        "Français",
        "Dark colours",
        "files",
        "Record live",
    ]
    assert "Search in all transcripts" in names
    assert "stop.wav" in names
    assert [name for name, ring in stops if ring == "none"] == []


def test_the_page_is_gone_through_with_the_keyboard_alone(open_page: Callable[..., Page]):
    page = open_page()
    expect(page.get_by_role("heading", name="History")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Choose recordings")).to_be_focused()
