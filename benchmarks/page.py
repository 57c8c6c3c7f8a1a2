"""The page in a browser: its first view, words while they are said, and three hours of transcript.

Needs a Chromium. The service and the browser share the machine; words come from the tests' scripted engine, which says
to a file what it has heard before it says so to anybody else.
"""

import argparse
import math
import struct
import tempfile
import threading
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

from benchmarks.report import heading, percentile, row
from benchmarks.service import ROOT, Service, running
from tests.browser.chromium import MICROPHONE, MISSING, QUIET, chromium_path, playing
from tests.browser.stored import Store, lecture
from tests.workers import wait_for

PLUGINS = ROOT / "tests" / "plugins"
PROBE = Path(__file__).with_name("page_probe.js")
RATE_HZ = 48_000
PITCHES = range(440, 440 + 10 * 160, 10)
N_WORDS = 30_000
N_SEEKS = 20
N_SCROLLS = 120
PATIENCE_S = 60.0
Launch = Callable[..., Browser]


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measures", default="first,live,long")
    parser.add_argument("--rounds", type=int, default=5, help="first views")
    parser.add_argument("--seconds", type=float, default=30.0, help="of live words")
    asked = parser.parse_args()
    heading("The page")
    path = chromium_path()
    if path is None:
        print(f"{MISSING}; nothing was measured.")
        return
    measures = asked.measures.split(",")
    with tempfile.TemporaryDirectory(prefix="parloir-bench-") as folder, sync_playwright() as playwright:
        heard = Path(folder) / "heard.log"
        settings = {"PYTHONPATH": f"{PLUGINS}:{ROOT}", "DEFAULT_ENGINE": "scripted", "SCRIPTED_LOG": str(heard)}
        with running(**settings, LOG_LEVEL="WARNING") as service:

            def launch(*flags: str) -> Browser:
                return playwright.chromium.launch(executable_path=path, args=[*QUIET, *MICROPHONE, *flags])

            if "first" in measures:
                first_view(service, launch, asked.rounds)
            if "live" in measures:
                live_words(service, launch, Path(folder), asked.seconds)
            if "long" in measures:
                long_transcript(service, launch, Path(folder))


@contextmanager
def probed(launch: Launch, *flags: str) -> Iterator[Page]:
    """An empty page of a browser that has seen nothing yet."""
    with launch(*flags) as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 800}, locale="en-GB")
        page.add_init_script(path=PROBE)
        page.set_default_timeout(PATIENCE_S * 1000)
        yield page


def first_view(service: Service, launch: Launch, n_rounds: int) -> None:
    """Bytes over the wire, and the time from the start of the navigation until the page is painted and can be used."""
    found = [_first_view(service, launch) for _ in range(n_rounds)]
    row("first view, transferred", f"{max(n_bytes for n_bytes, _ in found) / 1000:.1f} KB", "≤ 100 KB")
    times = [ms for _, ms in found]
    row(f"usable after, median of {n_rounds} cold starts", f"{percentile(times, 0.5):.0f} ms", "≤ 1000 ms")
    row("the slowest of them", f"{max(times):.0f} ms")


def _first_view(service: Service, launch: Launch) -> tuple[float, float]:
    with probed(launch) as page:
        sizes: list[float] = []
        network = page.context.new_cdp_session(page)
        network.send("Network.enable")
        network.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
        page.goto(service.url)
        usable_ms = wait_for(lambda: page.evaluate("window.probe.usable"), PATIENCE_S)
        page.wait_for_load_state("networkidle")
        return sum(sizes), float(str(usable_ms))


def live_words(service: Service, launch: Launch, folder: Path, seconds: float) -> None:
    """From the moment the engine has heard a word to the word on the screen; each word is another one."""
    wait_for(lambda: service.client.get("/health").json()["workers"].get("streaming", {}).get("slots", 0), PATIENCE_S)
    told = Told(folder / "heard.log")
    with told.watched(), probed(launch, playing(write_tones(folder / "tones.wav"))) as page:
        page.goto(f"{service.url}/#/live")
        page.get_by_role("button", name="Start recording").click()
        page.wait_for_timeout(seconds * 1000)
        painted: dict[str, float] = page.evaluate("window.probe.words")
        page.get_by_role("button", name="Stop").click()
    late_ms = [at - told.at_ms[word] for word, at in painted.items() if at and word in told.at_ms]
    row("live words measured", str(len(late_ms)))
    row("heard by the engine → painted: p50", f"{percentile(late_ms, 0.5):.0f} ms", "≤ 150 ms")
    row("p95", f"{percentile(late_ms, 0.95):.0f} ms", "≤ 150 ms")


class Told:
    """When the scripted engine noted each word, by the wall clock; the file is looked at every 2 ms."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.at_ms: dict[str, float] = {}

    @contextmanager
    def watched(self) -> Iterator[None]:
        over = threading.Event()
        watching = threading.Thread(target=self._watch, args=(over,))
        watching.start()
        try:
            yield
        finally:
            over.set()
            watching.join()

    def _watch(self, over: threading.Event) -> None:
        self._path.touch()
        with self._path.open() as file:
            while not over.wait(0.002):
                for line in file:
                    if line.startswith("heard "):
                        self.at_ms.setdefault(line.split()[1], time.time() * 1000)


def long_transcript(service: Service, launch: Launch, folder: Path) -> None:
    """Three hours of words and sound: opened, scrolled through, gone about in."""
    told = lecture(N_WORDS)
    with Store.at(service.log.parent / "var") as store:
        job_id = store.put(told, write_silence(folder / "lecture.wav", told.duration_s), "lecture.wav")
    with probed(launch) as page:
        page.goto(service.url)
        page.locator(".job").first.wait_for()
        begun = time.monotonic()
        page.evaluate("id => { location.hash = `#/jobs/${id}`; }", job_id)
        page.locator(".segment").first.wait_for()
        row("30,000 words: opened after", f"{(time.monotonic() - begun) * 1000:.0f} ms")
        page.wait_for_timeout(1000)
        tools = page.context.new_cdp_session(page)
        tools.send("Performance.enable", {"timeDomain": "threadTicks"})
        for what, act, n in (("scrolled through", scroll, N_SCROLLS), ("gone to places", seek, N_SEEKS)):
            page.evaluate("window.probe.watch()")
            before_s = spent_s(tools)
            act(page)
            row(f"{what}, {n} steps: processor time a step", f"{(spent_s(tools) - before_s) / n * 1000:.1f} ms")
            tell_frames(page, what)


def spent_s(tools: CDPSession) -> float:
    """Processor time of the page's main thread so far: what else runs on the machine does not count."""
    metrics = tools.send("Performance.getMetrics")["metrics"]
    return float(next(one["value"] for one in metrics if one["name"] == "TaskDuration"))


def scroll(page: Page) -> None:
    page.evaluate(
        """n => new Promise((done) => {
            const list = document.querySelector(".scroller");
            const step = (i) => {
                list.scrollTop = (list.scrollHeight * i) / n;
                if (i < n) requestAnimationFrame(() => step(i + 1));
                else setTimeout(done, 300);
            };
            step(0);
        })""",
        N_SCROLLS,
    )


def seek(page: Page) -> None:
    box = page.locator(".waveform").bounding_box()
    assert box is not None
    for n in range(N_SEEKS):
        page.mouse.click(box["x"] + box["width"] * ((n * 7) % N_SEEKS + 0.5) / N_SEEKS, box["y"] + box["height"] / 3)
        page.wait_for_timeout(100)


def tell_frames(page: Page, what: str) -> None:
    seen: dict[str, Any] = page.evaluate("({ frames: window.probe.frames, tasks: window.probe.tasks })")
    longest = f"{max(seen['tasks']):.0f} ms" if seen["tasks"] else "< 50 ms"
    row(f"{what}: longest task", longest, "≤ 100 ms")
    row(f"{what}: longest time between two frames", f"{max(seen['frames']):.0f} ms", "≤ 100 ms")


def write_tones(path: Path) -> Path:
    """A burst each 0.4 s, each of another pitch: a word that the scripted engine calls by it; pauses between some."""
    samples = [0.0] * RATE_HZ
    for n, pitch in enumerate(PITCHES):
        samples += [0.5 * math.sin(2 * math.pi * pitch * i / RATE_HZ) for i in range(RATE_HZ // 5)]
        samples += [0.0] * (RATE_HZ if n % 8 == 7 else RATE_HZ // 5)
    return _write(path, RATE_HZ, struct.pack(f"<{len(samples)}h", *(int(sample * 32767) for sample in samples)))


def write_silence(path: Path, seconds: float) -> Path:
    """A recording to go about in."""
    return _write(path, 8000, bytes(int(seconds * 8000) * 2))


def _write(path: Path, rate_hz: int, sound: bytes) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(sound)
    return path


if __name__ == "__main__":
    main()
