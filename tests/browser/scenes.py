"""What `screenshots` takes: each state of each view, brought about as a person would meet it."""

import csv
from pathlib import Path

from playwright.sync_api import Page, expect

from app.domain.transcript import Segment, Speaker, Transcript, Word
from tests.browser.conftest import DEMO
from tests.browser.screenshots import PATIENCE_MS, Stage
from tests.workers import write_speechlike

SPOKEN = "spoken.wav"
NAMES = {"rms": "Robert", "slt": "Sylvie", "awb": None}
UNSURE = {"project.", "solution"}
BROKEN = b"fLaC\x00\x00\x00\x22" + bytes(4000)
NOWHERE = "#/jobs/00000000-0000-4000-8000-000000000000"


def spoken(path: Path) -> Path:
    """What the fake microphone plays: somebody who speaks, then a long silence."""
    return write_speechlike(path, 40.0, 48_000)


def reference(name: str) -> Transcript:
    """What is said in a demo recording, its words shared out over each sentence."""
    with (DEMO / "reference.tsv").open() as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["recording"] == name]
    voices = list(dict.fromkeys(row["speaker"] for row in rows))
    segments = tuple(_sentence(i, row, f"SPEAKER_{voices.index(row['speaker']):02}") for i, row in enumerate(rows))
    times = {
        voice: sum(float(r["end_s"]) - float(r["start_s"]) for r in rows if r["speaker"] == voice) for voice in voices
    }
    speakers = tuple(Speaker(f"SPEAKER_{n:02}", NAMES[voice], times[voice]) for n, voice in enumerate(voices))
    return Transcript(segments, speakers if len(voices) > 1 else (), "en", float(rows[-1]["end_s"]) + 0.4)


def _sentence(i: int, row: dict[str, str], label: str) -> Segment:
    start, end, words = float(row["start_s"]), float(row["end_s"]), row["text"].split()
    each = (end - start) / len(words)
    said = tuple(
        Word(word, start + n * each, start + (n + 1) * each, 0.3 if word in UNSURE else 0.92, label)
        for n, word in enumerate(words)
    )
    return Segment(i, start, end, row["text"], 0.9, label, said)


# Recordings


def empty(stage: Stage) -> None:
    expect(stage.go("").locator(".welcome")).to_be_visible()
    stage.take("recordings-empty")


def uploads(stage: Stage) -> None:
    """Two on their way over a slow line, one that waits, one refused, with those before them."""
    folder = stage.service.var_dir.parent
    (folder / "notes.txt").write_text("not a sound")
    for name in ("interview with the mayor, second part.wav", "lecture.wav", "board.wav"):
        write_speechlike(folder / name, 240.0)
    page = stage.go("")
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator("#files").set_input_files(folder / "notes.txt")
    expect(page.locator(".upload.is-bad")).to_be_visible()
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 300_000}
    network.send("Network.emulateNetworkConditions", slow)
    page.locator("#files").set_input_files([p for p in sorted(folder.glob("*.wav")) if p.name != SPOKEN])
    expect(page.locator(".upload .note", has_text="%").first).to_be_visible()
    page.wait_for_timeout(4000)
    stage.take("recordings-uploads")
    page.evaluate("indexedDB.deleteDatabase('parloir')")


def history(stage: Stage) -> None:
    """Jobs in every state: one worker, so that of three long ones two wait."""
    folder = stage.service.var_dir.parent
    (folder / "broken.flac").write_bytes(BROKEN)
    page = stage.go("")
    for name in ("council of november.wav", "hearing.wav", "seminar.wav"):
        page.locator("#files").set_input_files(write_speechlike(folder / name, 1500.0))
        expect(page.locator(".job", has_text=name).first).to_be_visible()
    stage.store.put(reference("meeting.flac"), DEMO / "meeting.flac", "team meeting.flac", is_drawn=False)
    stage.store.put(reference("garden.flac"), DEMO / "garden.flac", f"{'a very long name of a recording ' * 4}.flac")
    page.reload()
    page.locator("#files").set_input_files(folder / "broken.flac")
    page.locator(".job", has_text="council").get_by_role("button").first.wait_for()
    stop = stage.say("Stop seminar.wav", "Arrêter seminar.wav")
    page.get_by_role("button", name=stop).first.click()
    expect(page.locator(".job .badge.processing").first).to_be_visible(timeout=PATIENCE_MS)
    page.wait_for_timeout(4000)
    stage.take("recordings")
    stage.take_page("operations-busy", "#/operations", ".panels table")
    running = page.locator(".job .badge.processing").first
    stage.go("")
    running.wait_for()
    page.locator(".job", has=page.locator(".badge.processing")).first.get_by_role("link").click()
    expect(page.get_by_role("log")).not_to_be_empty(timeout=PATIENCE_MS)
    stage.take("job-running")
    for name in ("council of november.wav", "hearing.wav"):
        stage.go("")
        page.get_by_role("button", name=stage.say(f"Stop {name}", f"Arrêter {name}")).first.click()
        expect(page.locator(".job", has_text=name).first.locator(".badge.cancelled")).to_be_visible(timeout=PATIENCE_MS)


def failed(stage: Stage) -> None:
    page = stage.go("")
    folder = stage.service.var_dir.parent
    (folder / "broken.flac").write_bytes(BROKEN)
    page.locator("#files").set_input_files(folder / "broken.flac")
    expect(page.locator(".badge.failed").first).to_be_visible(timeout=PATIENCE_MS)
    page.locator(".job", has=page.locator(".badge.failed")).first.get_by_role("link").click()
    expect(page.locator(".reason")).to_be_visible()
    stage.take("job-failed")


def searched(stage: Stage) -> None:
    stage.store.put(reference("meeting.flac"), DEMO / "meeting.flac", "team meeting.flac", is_drawn=False)
    page = stage.go("")
    page.locator("#search").fill("better solution")
    page.wait_for_timeout(800)
    stage.take("recordings-found")
    page.locator("#search").fill("zebra")
    page.wait_for_timeout(800)
    stage.take("recordings-nothing-found")


def deleted(stage: Stage) -> None:
    stage.store.put(reference("garden.flac"), DEMO / "garden.flac", "garden.flac", is_drawn=False)
    page = stage.go("")
    page.locator(".job", has_text="garden.flac").first.get_by_role("button").last.click()
    expect(page.locator(".toast")).to_be_visible()
    page.clock.install()
    stage.take("recordings-deleted")
    page.clock.resume()
    page.locator(".toast .plain").click()


def away(stage: Stage) -> None:
    page = stage.go("")
    expect(page.locator(".job .name").first).to_be_visible()
    page.context.set_offline(True)
    page.locator("#files").set_input_files(DEMO / "garden.flac")
    expect(page.locator(".banner")).to_be_visible()
    stage.take("service-away")
    page.context.set_offline(False)


# A transcript


def _open(stage: Stage, told: Transcript | None = None, recording: Path | None = DEMO / "meeting.flac") -> Page:
    job_id = stage.store.put(told or reference("meeting.flac"), recording, "team meeting.flac", is_drawn=False)
    page = stage.go(f"#/jobs/{job_id}")
    expect(page.locator(".segment").first).to_be_visible()
    page.wait_for_timeout(600)
    return page


def _play_a_little(page: Page) -> None:
    page.locator(".w", has_text="welcome").click()
    expect(page.locator(".w.lit")).to_be_visible()
    page.keyboard.press(" ")
    page.mouse.move(0, 0)
    page.evaluate("document.activeElement.blur()")


def transcript(stage: Stage) -> None:
    page = _open(stage)
    _play_a_little(page)
    stage.take("transcript")
    page.keyboard.press("?")
    stage.take("transcript-keys")


def corrected(stage: Stage) -> None:
    page = _open(stage)
    page.locator(".segment").nth(1).get_by_role("button").last.click()
    page.locator("textarea").fill("We will begin in five minutes, as soon as everybody is here and has found a chair.")
    page.keyboard.press("Enter")
    expect(page.locator(".mark")).to_be_visible()
    page.locator(".segment").nth(2).get_by_role("button").last.click()
    stage.take("transcript-correcting")


def looked_through(stage: Stage) -> None:
    page = _open(stage)
    page.locator("input[type=search]").fill("me")
    expect(page.locator(".w.found").first).to_be_visible()
    page.locator("summary").click()
    stage.take("transcript-search-export")


def named(stage: Stage) -> None:
    page = _open(stage)
    page.locator(".chip").first.click()
    expect(page.locator("dialog[open]")).to_be_visible()
    stage.take("transcript-speaker")


def silent(stage: Stage) -> None:
    page = _open(stage, recording=None)
    expect(page.locator(".sound .note")).to_be_visible()
    stage.take("transcript-without-sound")


def nothing_said(stage: Stage) -> None:
    job_id = stage.store.put(Transcript((), (), "en", 10.0), DEMO / "garden.flac", "silence.flac", is_drawn=False)
    expect(stage.go(f"#/jobs/{job_id}").locator(".empty")).to_be_visible()
    stage.take("transcript-empty")


def not_here(stage: Stage) -> None:
    expect(stage.go(NOWHERE).locator(".state")).to_be_visible()
    stage.take("not-here")


# Live


def live(stage: Stage) -> None:
    """Idle, with words, paused, with the connection cut, done."""
    sockets: list = []
    cut = []

    def connect(socket) -> None:
        if cut:
            socket.close()
        else:
            sockets.append(socket)
            socket.connect_to_server()

    stage.page.route_web_socket("**/streamingTranscription/stream*", connect)
    page = stage.go("#/live")
    expect(page.locator(".live-acts button")).to_be_visible()
    stage.take("live-idle")
    page.locator(".live-acts button").click()
    expect(page.locator("[role=log] p").nth(1)).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator(".partial")).not_to_be_empty()
    stage.take("live-words")
    page.locator(".live-acts button").nth(1).click()
    page.wait_for_timeout(1500)
    stage.take("live-paused")
    page.locator(".live-acts button").nth(1).click()
    cut.append(True)
    sockets[-1].close()
    expect(page.locator(".live-state.is-lost")).to_be_visible()
    stage.take("live-lost")
    cut.clear()
    expect(page.locator(".live-state.is-lost")).to_have_count(0)
    page.locator(".live-acts button").first.click()
    expect(
        page.locator(".live-acts button", has_text=stage.say("Open the transcript", "Ouvrir la transcription"))
    ).to_be_visible()
    stage.take("live-done")


def refused(stage: Stage) -> None:
    with stage.launch("--use-fake-device-for-media-stream") as browser:
        page = browser.new_page(locale=stage.page.evaluate("navigator.language"))
        page.goto(f"{stage.service.url}/#/live")
        stage.zoom(page)
        page.locator(".live-acts button").click()
        expect(page.locator(".live-state.is-lost")).to_be_visible()
        stage.take("live-refused", page)


def operations(stage: Stage) -> None:
    stage.take_page("operations", "#/operations", ".panels table")


SCENES = {
    scene.__name__.replace("_", "-"): scene
    for scene in (
        empty, live, refused, transcript, corrected, looked_through, named, silent, nothing_said, not_here, searched,
        deleted, away, failed, history, operations, uploads,
    )
}  # fmt: skip


def readme(stage: Stage) -> None:
    """A transcript by day, and recordings by night, in English."""
    if stage.language != "en":
        return
    stage.page.set_viewport_size({"width": 1100, "height": 760})
    stage.page.emulate_media(color_scheme="light")
    page = _open(stage)
    _play_a_little(page)
    page.screenshot(path=stage.asked.out / "transcript.png")
    folder = stage.service.var_dir.parent
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    page.set_viewport_size({"width": 1100, "height": 640})
    stage.go("")
    for name in ("council of november.wav", "hearing.wav"):
        page.locator("#files").set_input_files(write_speechlike(folder / name, 900.0))
        expect(page.locator(".job", has_text=name).first).to_be_visible()
    page.reload()
    expect(page.locator(".job .badge.processing")).to_be_visible()
    expect(page.locator(".job", has_text="left")).to_be_visible()
    page.evaluate("scrollTo(0, 0)")
    page.screenshot(path=stage.asked.out / "recordings.png")


README = {"readme": readme}
