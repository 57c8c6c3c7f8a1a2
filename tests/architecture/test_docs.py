"""The docs say what the code does: settings, routes and error codes are all told."""

import re
from pathlib import Path

import pytest

from app.domain.errors import ParloirError
from config import SETTINGS

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
API = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")

PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])


def all_errors(kind: type[ParloirError] = ParloirError) -> set[type[ParloirError]]:
    return {kind}.union(*(all_errors(sub) for sub in kind.__subclasses__()))


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_each_setting_is_in_the_readme_with_its_meaning(setting):
    line = next((line for line in README.splitlines() if line.startswith(f"| `{setting.name}` |")), None)
    assert line is not None, f"{setting.name} is not documented"
    assert setting.meaning.replace("|", "\\|") in line


def test_the_readme_tells_of_no_setting_that_is_not_there():
    told = set(re.findall(r"^\| `([A-Z_]+)` \|", README, flags=re.MULTILINE))
    assert told == {setting.name for setting in SETTINGS}


@pytest.mark.parametrize("error", sorted(all_errors(), key=lambda error: error.code), ids=lambda error: error.code)
def test_each_error_code_is_in_the_api_page(error):
    assert f"| `{error.code}` |" in API


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page):
    targets = re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
    missing = [target for target in targets if not (page.parent / target).exists()]
    assert missing == []


def test_the_make_targets_of_the_readme_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"`make ([a-z]+)`", README)):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target
