"""Recordings handed in, followed, found again, removed: as a person does it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DEMO, WORK_MS
from tests.browser.stored import Store, conversation
from tests.workers import write_speechlike

INKED = "canvas => canvas.getContext('2d').getImageData(0, 30, canvas.width, 1).data.some(value => value > 0)"


def choose(page: Page, *files: Path) -> None:
    page.get_by_label("Choose recordings").set_input_files(files)


def row(page: Page, name: str):
    return page.get_by_role("listitem").filter(has=page.get_by_role("link", name=name, exact=True)).first


def titled(page: Page, name: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def drop(page: Page, *files: Path) -> None:
    """Let files fall on the page, as from a file manager."""
    contents = [[list(file.read_bytes()), file.name] for file in files]
    transfer = page.evaluate_handle(
        """files => files.reduce((transfer, [bytes, name]) => {
            transfer.items.add(new File([new Uint8Array(bytes)], name));
            return transfer;
        }, new DataTransfer())""",
        contents,
    )
    page.dispatch_event("body", "dragover", {"dataTransfer": transfer})
    page.dispatch_event("body", "drop", {"dataTransfer": transfer})


def test_several_recordings_dropped_on_the_page_become_their_words(page: Page):
    drop(page, DEMO / "garden.flac", DEMO / "long-pause.flac")
    expect(row(page, "garden.flac")).to_contain_text("Done", timeout=WORK_MS)
    expect(row(page, "long-pause.flac")).to_contain_text("Done", timeout=WORK_MS)
    page.get_by_role("link", name="garden.flac", exact=True).first.click()
    titled(page, "garden.flac")
    expect(page.get_by_role("region", name="Transcript")).to_contain_text("the sun was shining and the birds")
    assert page.locator(".waveform canvas").evaluate(INKED), "its outline is drawn"


def test_what_is_no_recording_is_refused_where_it_stands_and_in_words(page: Page, tmp_path: Path):
    (tmp_path / "notes.txt").write_text("not a sound")
    choose(page, tmp_path / "notes.txt")
    refused = page.get_by_label("On their way").get_by_role("listitem")
    expect(refused.get_by_role("alert")).to_contain_text("not a recording we can read")
    refused.get_by_role("button", name="Do not send notes.txt").click()
    expect(refused).to_have_count(0)


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_long_job_tells_its_progress_and_can_be_stopped_and_tried_again(page: Page, tmp_path: Path):
    choose(page, write_speechlike(tmp_path / "hour.wav", 900.0))
    job = row(page, "hour.wav")
    expect(job).to_contain_text("left", timeout=WORK_MS)
    page.reload()
    expect(job.get_by_role("progressbar")).to_be_visible()
    job.get_by_role("button", name="Stop hour.wav").click()
    expect(job).to_contain_text("Cancelled")
    job.get_by_role("button", name="Try again hour.wav").click()
    page.get_by_role("link", name="hour.wav").click()
    expect(page.get_by_role("log")).to_contain_text("garden", timeout=WORK_MS)
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("main")).to_contain_text("Cancelled")


def test_an_upload_that_was_left_is_taken_up_again_on_the_next_visit(page: Page, service):
    held = []
    page.route("**/createJob", lambda route: held.append(route))
    page.on("dialog", lambda dialog: dialog.accept())
    choose(page, DEMO / "telephone.wav")
    expect(page.get_by_label("On their way")).to_contain_text("telephone.wav")
    page.goto("about:blank")
    page.unroute("**/createJob")
    page.goto(f"{service.url}/")
    expect(row(page, "telephone.wav")).to_be_visible()
    expect(page.get_by_label("On their way")).to_be_hidden()


def test_while_the_service_is_away_the_page_says_so_and_sends_when_it_is_back(page: Page):
    expect(page.get_by_role("heading", name="History")).to_be_visible()
    page.context.set_offline(True)
    choose(page, DEMO / "meeting.flac")
    expect(page.get_by_role("alert").first).to_contain_text("The service cannot be reached")
    page.context.set_offline(False)
    expect(page.locator(".banner")).to_be_hidden()
    expect(row(page, "meeting.flac")).to_be_visible()


def test_the_history_is_searched_and_filtered(page: Page, store: Store):
    store.put(conversation(["an okapi crossed the river"]), filename="okapi.wav")
    page.get_by_label("Search in all transcripts").fill("okapi river")
    expect(page.locator(".jobs .name")).to_have_text(["okapi.wav"])
    page.get_by_label("In any state").select_option("Failed")
    expect(page.get_by_text("Nothing fits this search.")).to_be_visible()
    page.get_by_label("In any state").select_option("Done")
    expect(page.locator(".jobs .name")).to_have_text(["okapi.wav"])


@pytest.mark.parametrize("is_undone", [True, False], ids=["undone", "meant"])
def test_a_deletion_waits_for_a_second_thought(page: Page, service, store: Store, is_undone: bool):
    name = f"{'kept' if is_undone else 'gone'}.wav"
    job_id = store.put(conversation(["one two"]), filename=name)
    page.reload()
    page.get_by_role("button", name=f"Delete {name}").click()
    expect(page.get_by_role("link", name=name, exact=True)).to_have_count(0)
    page.get_by_role("button", name="Undo" if is_undone else "Close", exact=True).click()
    expect(page.get_by_role("link", name=name, exact=True)).to_have_count(1 if is_undone else 0)
    page.goto(f"{service.url}/#/jobs/{job_id}")
    titled(page, name if is_undone else "Not here")


def test_it_speaks_french_and_shows_dark_colours_and_keeps_both(open_page: Callable[..., Page]):
    page = open_page(locale="fr-CA", color_scheme="light")
    expect(page.get_by_role("heading", name="Historique")).to_be_visible()
    page.get_by_role("button", name="Couleurs sombres").click()
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
    page.get_by_role("button", name="English").click()
    page.reload()
    expect(page.get_by_role("heading", name="History")).to_be_visible()
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
