"""A transcript heard, searched, named, corrected and taken away: as a person does it."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import DEMO, WORK_MS
from tests.browser.stored import Store, conversation, lecture

INKED = "canvas => canvas.getContext('2d').getImageData(0, 18, canvas.width, 1).data.some(value => value > 0)"
SAID = ["good morning everyone", "thank you for coming", "the budget is to large", "let us vote"]


@pytest.fixture
def job_id(store: Store) -> str:
    return store.put(conversation(SAID), DEMO / "meeting.flac")


@pytest.fixture
def page(open_page: Callable[..., Page], job_id: str) -> Page:
    page = open_page(f"#/jobs/{job_id}")
    expect(transcript(page)).to_contain_text(SAID[0])
    return page


def transcript(page: Page) -> Locator:
    return page.get_by_role("region", name="Transcript")


def segment(page: Page, n: int) -> Locator:
    return transcript(page).get_by_role("listitem").nth(n)


def lit(page: Page) -> Locator:
    return page.locator(".w.lit")


def place_s(page: Page) -> int:
    return int(page.get_by_role("slider", name="Place in the recording").get_attribute("aria-valuenow"))


def test_a_click_on_a_word_plays_it_and_the_words_that_follow_are_lit(page: Page):
    page.get_by_text("coming", exact=True).click()
    expect(lit(page)).to_have_text("coming")
    expect(lit(page)).to_have_text("budget")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()


def test_the_keyboard_does_it_all(page: Page):
    page.keyboard.press("Shift+ArrowRight")
    expect(lit(page)).to_have_text("thank")
    page.keyboard.press("ArrowRight")
    assert place_s(page) == 8
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("+")
    expect(page.get_by_text("1.25×")).to_be_visible()
    page.keyboard.press("s")
    expect(page.get_by_role("button", name="Skip silence")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press(" ")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.keyboard.press(" ")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()


def test_silence_is_skipped(open_page: Callable[..., Page], store: Store):
    told = conversation(["please send it"] + ["x"] * 5 + ["the train leaves"])
    quiet = type(told)((told.segments[0], told.segments[-1]), told.speakers, "en", 21.0)
    page = open_page(f"#/jobs/{store.put(quiet, DEMO / 'long-pause.flac')}")
    page.get_by_role("button", name="Skip silence").click()
    page.get_by_role("button", name="Play", exact=True).click()
    expect(lit(page)).to_have_text("train", timeout=12_000)


def test_the_picture_of_the_sound_shows_it_and_goes_where_one_points(page: Page):
    slider = page.get_by_role("slider", name="Place in the recording")
    assert slider.locator("canvas").evaluate(INKED)
    slider.click(position={"x": slider.bounding_box()["width"] / 2, "y": 20})
    assert place_s(page) == 6
    expect(lit(page)).to_have_text("the")


def test_a_recording_that_no_worker_has_drawn_is_drawn_by_the_page(open_page: Callable[..., Page], store: Store):
    page = open_page(f"#/jobs/{store.put(conversation(SAID), DEMO / 'meeting.flac', is_drawn=False)}")
    expect(page.locator(".waveform canvas")).to_be_visible()
    page.wait_for_function(f"({INKED})(document.querySelector('.waveform canvas'))")


def test_words_are_found_whatever_their_capitals(page: Page):
    page.keyboard.press("/")
    page.keyboard.type("THANK you")
    expect(page.get_by_text("1 of 1")).to_be_visible()
    expect(page.locator(".w.current")).to_have_text(["thank", "you"])
    page.keyboard.type("x")
    expect(page.get_by_text("Not said")).to_be_visible()


def test_a_speaker_named_once_is_named_everywhere(page: Page, service):
    page.get_by_role("button", name="Speaker 1").first.click()
    expect(page.get_by_role("dialog", name="Who is Speaker 1?")).to_be_visible()
    page.get_by_label("Name").fill("Ann")
    page.get_by_role("button", name="Save").click()
    expect(transcript(page).get_by_role("button", name="Ann")).to_have_count(2)
    page.reload()
    expect(transcript(page).get_by_role("button", name="Ann")).to_have_count(2)
    assert "Ann: good morning" in exported(page, "Plain text")


def test_speakers_of_a_finished_transcript_are_told_apart(open_page: Callable[..., Page], store: Store):
    one_voice = conversation(["good morning and welcome", "thank you for coming"], n_speakers=1)
    unnamed = type(one_voice)(tuple(replace(one, speaker=None) for one in one_voice.segments), (), "en", 29.5)
    page = open_page(f"#/jobs/{store.put(unnamed, DEMO / 'telephone.wav', 'call.wav')}")
    expect(transcript(page)).to_contain_text("good morning and welcome")
    page.get_by_role("button", name="Tell speakers apart").click()
    expect(transcript(page)).to_contain_text("good morning and welcome", timeout=WORK_MS)
    expect(transcript(page).get_by_role("button", name="Speaker 1").first).to_be_visible()
    expect(page.get_by_role("button", name="Tell speakers apart")).to_have_count(0)


def exported(page: Page, label: str) -> str:
    if not page.get_by_role("link", name=label).is_visible():
        page.locator("summary", has_text="Export").click()
    with page.expect_download() as download:
        page.get_by_role("link", name=label).click()
    return download.value.path().read_text()


def correct(page: Page, n: int, text: str) -> None:
    segment(page, n).get_by_role("button", name="Correct").click()
    page.get_by_role("textbox", name="What was said").fill(text)
    page.keyboard.press("Enter")
    expect(segment(page, n)).to_contain_text(text)


def test_a_correction_is_kept_beside_the_machines_text_and_taken_back(page: Page):
    correct(page, 2, "the budget is too large")
    assert "too large" in exported(page, "SubRip")
    page.get_by_label("Without corrections").check()
    assert "is to large" in exported(page, "SubRip")
    page.reload()
    expect(segment(page, 2)).to_contain_text("the budget is too large")
    correct(page, 3, "let us not vote")
    page.keyboard.press("Control+z")
    expect(segment(page, 3)).to_contain_text("let us vote")
    segment(page, 2).get_by_role("button", name="Go back to what the machine heard").click()
    expect(segment(page, 2)).to_contain_text("the budget is to large")


def test_escape_leaves_the_text_as_it_was(page: Page):
    page.keyboard.press("e")
    page.get_by_role("textbox", name="What was said").fill("something else")
    page.keyboard.press("Escape")
    expect(segment(page, 0)).to_contain_text(SAID[0])


def test_it_is_taken_away_in_every_format(page: Page):
    for label in ("Plain text", "SubRip", "WebVTT", "Markdown", "for programs", "RTTM", "CTM"):
        assert exported(page, label).strip(), label


def test_words_the_machine_is_not_sure_of_are_marked(open_page: Callable[..., Page], service, store: Store):
    told = conversation(["good morning"])
    words = told.segments[0].words
    unsure = (words[0], type(words[1])("morning", words[1].start_s, words[1].end_s, 0.2))
    segments = (type(told.segments[0])(0, 0.0, 2.0, "good morning", 0.5, None, unsure),)
    page = open_page(f"#/jobs/{store.put(type(told)(segments, (), 'en', 3.0))}")
    expect(page.locator(".w.unsure")).to_have_text(["morning"])


def test_a_transcript_whose_recording_is_gone_is_still_read(open_page: Callable[..., Page], store: Store):
    page = open_page(f"#/jobs/{store.put(conversation(SAID))}")
    expect(page.get_by_text("The recording cannot be played")).to_be_visible()
    expect(transcript(page)).to_contain_text(SAID[0])


def test_three_hours_of_words_are_scrolled_and_gone_through_without_all_being_there(
    open_page: Callable[..., Page], store: Store
):
    page = open_page(f"#/jobs/{store.put(lecture(30_000))}")
    expect(transcript(page)).to_contain_text("word0 word1")
    page.get_by_label("Search in this transcript").fill("word29998")
    expect(page.get_by_text("1 of 1")).to_be_visible()
    expect(page.locator(".w.current")).to_be_in_viewport()
    assert transcript(page).get_by_role("listitem").count() < 120
    page.get_by_role("slider").focus()
    page.keyboard.press("Home")
    transcript(page).evaluate("list => { list.scrollTop = list.scrollHeight / 2; }")
    expect(transcript(page)).to_contain_text("word15000")
