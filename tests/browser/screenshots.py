"""`python -m tests.browser.screenshots OUT`: each view of the page as pictures to look at, against the real service.

Each scene is taken in French and English, light and dark, on a phone, a tablet and a desktop, and kept as
`OUT/SCENE-LANGUAGE-SIZE-THEME.png`. `--only SCENE,…`, `--languages`, `--sizes` and `--themes` take fewer; `--zoom 2`
takes them with text twice as large. `--only readme` takes those of the README alone, as `OUT/transcript.png` and so on.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Error, Page, expect, sync_playwright

from tests.browser.chromium import MICROPHONE, MISSING, QUIET, chromium_path, playing
from tests.browser.stored import Store
from tests.running_service import RunningService, free_port
from tests.workers import wait_for

SIZES = {"phone": (375, 812), "tablet": (768, 1024), "desktop": (1280, 800)}
THEMES = ("light", "dark")
LANGUAGES = {"en": "en-GB", "fr": "fr-FR"}
PATIENCE_MS = 90_000


@dataclass
class Stage:
    """A page at the service, in one language, and where its pictures go."""

    page: Page
    service: RunningService
    store: Store
    launch: Callable[..., Browser]
    language: str
    asked: argparse.Namespace

    def go(self, at: str) -> Page:
        self.page.goto("about:blank")
        self.page.goto(f"{self.service.url}/{at}")
        self.zoom(self.page)
        return self.page

    def zoom(self, page: Page) -> None:
        if self.asked.zoom != 1:
            page.evaluate("size => { document.documentElement.style.fontSize = size; }", f"{self.asked.zoom * 100}%")

    def say(self, english: str, french: str) -> str:
        return english if self.language == "en" else french

    def take_page(self, name: str, at: str, awaited: str) -> None:
        self.go(at).locator(awaited).first.wait_for()
        self.take(name)

    def take(self, name: str, page: Page | None = None) -> None:
        """Photograph the page as it stands, in all sizes and themes."""
        page = page or self.page
        for size in self.asked.sizes.split(","):
            width, height = SIZES[size]
            page.set_viewport_size({"width": width, "height": height})
            for theme in self.asked.themes.split(","):
                page.emulate_media(color_scheme=theme, reduced_motion="reduce")
                page.wait_for_timeout(120)
                page.screenshot(path=self.asked.out / f"{name}-{self.language}-{size}-{theme}.png")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--languages", default=",".join(LANGUAGES))
    parser.add_argument("--sizes", default=",".join(SIZES))
    parser.add_argument("--themes", default=",".join(THEMES))
    parser.add_argument("--zoom", type=float, default=1)
    return parser.parse_args()


def has_live_room(service: RunningService) -> bool:
    workers = httpx.get(f"{service.url}/health").json()["workers"]
    return workers.get("streaming", {}).get("slots", 0) > 0


@contextmanager
def served() -> Iterator[tuple[RunningService, Store]]:
    with tempfile.TemporaryDirectory(prefix="parloir-look-") as folder:
        Path(folder).chmod(0o755)  # PostgreSQL may run as another user
        service = RunningService(Path(folder) / "var", free_port()).start()
        try:
            wait_for(lambda: has_live_room(service))
            with Store.at(service.var_dir) as store:
                yield service, store
        finally:
            service.end()


def main() -> None:
    """Take them; what could not be brought about is told, and the rest is taken."""
    from tests.browser.scenes import README, SCENES, SPOKEN, spoken

    asked = arguments()
    expect.set_options(timeout=PATIENCE_MS)
    asked.out.mkdir(parents=True, exist_ok=True)
    path = chromium_path() or sys.exit(MISSING)
    wanted = {
        name: scene
        for name, scene in {**SCENES, **README}.items()
        if name in (asked.only.split(",") if asked.only else SCENES)
    }
    with served() as (service, store), sync_playwright() as playwright:

        def launch(*flags: str) -> Browser:
            return playwright.chromium.launch(executable_path=path, args=[*QUIET, *flags])

        with launch(*MICROPHONE, playing(spoken(service.var_dir.parent / SPOKEN))) as browser:
            for name, scene in wanted.items():
                for language in asked.languages.split(","):
                    context = browser.new_context(locale=LANGUAGES[language])
                    context.set_default_timeout(PATIENCE_MS)
                    stage = Stage(context.new_page(), service, store, launch, language, asked)
                    print(f"{name} ({language}): {_played(scene, stage)}", flush=True)
                    context.close()


def _played(scene: Callable[[Stage], None], stage: Stage) -> str:
    try:
        scene(stage)
    except (Error, AssertionError) as error:
        return str(error).split("Aria snapshot")[0]
    return "taken"


if __name__ == "__main__":
    main()
