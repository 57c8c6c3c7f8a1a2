"""The service watched from the page: what waits, who works, what failed and why."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import WORK_MS

BROKEN = b"fLaC\x00\x00\x00\x22" + bytes(4000)


def test_a_failure_is_told_with_its_reason_and_tried_again(open_page: Callable[..., Page], tmp_path: Path):
    (tmp_path / "broken.flac").write_bytes(BROKEN)
    page = open_page()
    page.get_by_label("Choose recordings").set_input_files(tmp_path / "broken.flac")
    row = page.get_by_role("listitem").filter(has_text="broken.flac")
    expect(row).to_contain_text("Failed", timeout=WORK_MS)
    page.get_by_role("link", name="Operations").click()
    failures = page.get_by_role("region", name="Failed")
    expect(failures).to_contain_text("The recording cannot be decoded")
    before = failures.get_by_role("row").filter(has_text="broken.flac").inner_text()
    with page.expect_response("**/retry") as answer:
        failures.get_by_role("button", name="Try again broken.flac").click()
    assert answer.value.ok
    expect(failures).to_contain_text("broken.flac")
    assert "The recording cannot be decoded" in before


def test_queues_workers_and_servers_are_shown(open_page: Callable[..., Page]):
    page = open_page("#/operations")
    expect(page.get_by_text("PostgreSQL is up")).to_be_visible()
    expect(page.get_by_role("region", name="Queues").get_by_role("row")).to_have_count(4)
    expect(page.get_by_role("region", name="Workers")).to_contain_text("0/1")
